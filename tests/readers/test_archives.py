import io
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from mpm_mmpose.readers.archives import npz_fields, read_npy, read_npz, read_pickle
from mpm_mmpose.readers.restricted_pickle import restricted_load

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\n"
OBJECT_TYPE = b"cnumpy\ndtype\n(S'O'\ntR"


def load(data):
    return restricted_load(io.BytesIO(data), len(data))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_arrays_and_containers_of_every_protocol(protocol):
    objects = np.empty((2, 2), dtype=object, order="F")
    objects[0, 0], objects[0, 1], objects[1, 0] = [1, 2], np.ones(3), "a"
    shared = [np.arange(3)]
    plain = dict(
        table=np.array({"S1": {"Walking 1": np.ones((2, 32, 3), np.float32)}}, dtype=object),
        fortran=np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        texts=np.array(["abc", "d"]),
        big_endian=np.arange(3, dtype=">i4"),
        empty=np.zeros((0, 3)),
        mask=np.array([True, False]),
        objects=objects,
        shared=[shared, shared],
    )
    scalars = dict(a=np.float32(3), b=np.str_("x"), c=("x", b"y\xff", b"", 1.5, True, None, 10**30), d=OrderedDict(a=1))
    scalars["S1", "54138969"] = "camera"
    ours = load(pickle.dumps(plain | scalars, protocol))
    assert (
        ours["table"].shape == ()
        and ours["table"].item()["S1"]["Walking 1"].tobytes() == plain["table"].item()["S1"]["Walking 1"].tobytes()
    )
    for name in ("fortran", "texts", "big_endian", "empty", "mask"):
        np.testing.assert_array_equal(ours[name], plain[name])
        assert ours[name].dtype == plain[name].dtype and ours[name].shape == plain[name].shape
    np.testing.assert_array_equal(ours["objects"][0, 1], objects[0, 1])
    assert ours["objects"][0, 0] == [1, 2] and ours["objects"][1, 0] == "a" and ours["objects"][1, 1] is None
    assert ours["shared"][0] is ours["shared"][1]
    for name, value in scalars.items():
        assert ours[name] == value and type(ours[name]) is type(value)


def test_names_of_numpy_2_and_text_of_python_2():
    data = pickle.dumps(dict(a=np.arange(3)), 2)
    assert load(data.replace(b"numpy.core", b"numpy._core"))["a"].tolist() == [0, 1, 2]
    python_2 = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I2\ntcnumpy\ndtype\n(S'i2'\nI0\nI1\n"
        b"tR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x00\\x02\\x00'\ntb."
    )
    assert load(python_2).tolist() == [1, 2]


def test_values_that_never_end_or_are_too_many_are_refused():
    values = []
    values.append(values)
    lots = b"\x80\x02K\x01q\x00" + b"h\x00h\x00\x86q\x00" * 40 + b"."  # 2**40 ones, were it written out
    few = b"\x80\x02K\x01q\x00" + b"h\x00h\x00\x86q\x00" * 8 + b"."
    assert str(load(few)).count("1") == 2**8
    array = pickle.dumps([np.zeros(2**20)] * 100)
    for data, message in (
        (pickle.dumps(values), "contains itself"),
        (lots, "occur again and again"),
        (array, "occur again and again"),
        (b"\x80\x02" + b"](" * 10**6 + b".", "more lists, tables and names than"),
        (b"\x80\x04N" + b"\x94" * 3 * 10**6 + b".", "more lists, tables and names than"),
    ):
        with pytest.raises(ValueError, match=message):
            load(data)


def test_keys_that_collide_are_refused():
    for keys in ([(2**61 - 1) * number for number in range(1, 10)], [(1, 2)], [float("nan")]):
        with pytest.raises(ValueError, match="only names and small numbers are read"):
            load(pickle.dumps(dict.fromkeys(keys)))
    plain = {3: 0, "a": 1, ("S1", "54138969"): 2, b"b": 3, 0.5: 4}
    assert load(pickle.dumps(plain)) == plain


class Call:
    """Pickles as the call of a function, as an attacker would have it."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) if state is None else (function, arguments, state)

    def __reduce__(self):
        return self.parts


def trap(path):
    """Commands for the payloads: any that runs leaves a file."""
    return f"touch {path}", f"open({str(path)!r}, 'w').close()"


def payloads(path):
    """Name: bytes of a pickle that would create ``path``, or reach numpy's own loader or memory, if it were obeyed."""
    shell, python = trap(path)
    found = {}
    for protocol in PROTOCOLS:
        found[f"os.system, protocol {protocol}"] = pickle.dumps(Call(os.system, shell), protocol)
        found[f"builtins.eval, protocol {protocol}"] = pickle.dumps(dict(a=Call(eval, python)), protocol)
        found[f"builtins.exec, protocol {protocol}"] = pickle.dumps([Call(exec, python)], protocol)
        nested = Call(getattr, Call(__import__, "os"), "system")
        found[f"nested reduce, protocol {protocol}"] = pickle.dumps([nested, Call(print, nested)], protocol)
        found[f"numpy.load, protocol {protocol}"] = pickle.dumps(Call(np.load, str(path), None, True), protocol)
        found[f"in an object array, protocol {protocol}"] = pickle.dumps(
            np.array([{"S1": Call(os.system, shell)}], dtype=object), protocol
        )
    text = shell.encode()
    found |= {
        "INST": b"(S'" + text + b"'\nios\nsystem\n.",
        "OBJ": b"(cos\nsystem\nS'" + text + b"'\no.",
        "NEWOBJ": b"\x80\x02csubprocess\nPopen\nS'" + text + b"'\n\x85\x81.",
        "NEWOBJ of an array": b"\x80\x02cnumpy\nndarray\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85\x81.",
        "NEWOBJ_EX": b"\x80\x04\x8c\x02os\x8c\x06system\x93)}\x92.",
        "STACK_GLOBAL with a dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0bf2py.os.name\x93.",
        "STACK_GLOBAL of what is no name": b"\x80\x04K\x01K\x02\x93.",
        "dotted name of an allowed module": b"cnumpy.core.multiarray\n_reconstruct.__globals__\n.",
        "EXT1": b"\x80\x02\x82\x01.",
        "EXT2": b"\x80\x02\x83\x01\x00.",
        "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
        "PERSID": b"Pos.system\n.",
        "BINPERSID": b"S'os'\nQ.",
        "NEXT_BUFFER": b"\x80\x05\x97.",
        "READONLY_BUFFER": b"\x80\x05]\x98.",
        "copyreg._reconstructor": b"ccopy_reg\n_reconstructor\n(cos\n_Environ\nc__builtin__\nobject\nNtR.",
        "copyreg.__newobj__": b"\x80\x02ccopyreg\n__newobj__\ncos\n_Environ\n\x85R.",
        "copyreg.add_extension": b"\x80\x02ccopyreg\nadd_extension\n(S'os'\nS'system'\nK\x01tR.",
        "pickle.loads": b"cpickle\nloads\n(S'cos\\nsystem\\n.'\ntR.",
        "state of a function": b"cnumpy.core.multiarray\n_reconstruct\n}S'__code__'\nNsb.",
        "state with slots": b"cnumpy\ndtype\nN}S'__reduce__'\nNs\x86b.",
        "state of a dict": b"}}S'__setstate__'\ncos\nsystem\nsb.",
        "state of a list": b"](S'x'\ntb.",
        "items of an allowed global": b"cnumpy\nndarray\nS'a'\nS'b'\ns.",
        "ndarray called": b"cnumpy\nndarray\n((I1000000000\nI1000000000\nttR.",
        "numpy.core.multiarray.empty": b"cnumpy.core.multiarray\nempty\n(I1\ntR.",
        "numpy.core.multiarray.fromfile": b"cnumpy.core.multiarray\nfromfile\n(S'/etc/passwd'\ntR.",
        "numpy.core.multiarray._vec_string": b"cnumpy.core.multiarray\n_vec_string\n(tR.",
        "numpy.memmap": b"cnumpy\nmemmap\n(S'" + str(path).encode() + b"'\nS'b'\nS'w+'\nI0\n(I1\nttR.",
        "numpy.testing runstring": b"cnumpy.testing._private.utils\nrunstring\n(S'" + python.encode() + b"'\n}tR.",
        "numpy._core names": b"cnumpy._core.multiarray\nload\n(tR.",
        "_reconstruct of another type": RECONSTRUCT + b"(cnumpy\ndtype\n(I0\ntS'b'\ntR.",
        "_reconstruct of a large shape": RECONSTRUCT + b"(cnumpy\nndarray\n(I9999999999\ntS'b'\ntR.",
        "scalar of objects": b"cnumpy.core.multiarray\nscalar\n(" + OBJECT_TYPE + b"S'12345678'\ntR.",
        "_frombuffer of objects": b"cnumpy.core.numeric\n_frombuffer\n(S'12345678'\n"
        + OBJECT_TYPE
        + b"(I1\ntS'C'\ntR.",
        "dtype with fields": b"cnumpy\ndtype\n((lp0\n(S'a'\nS'O'\ntatR.",
        "_codecs.encode of another kind": b"c_codecs\nencode\n(V" + text + b"\nVbz2_codec\ntR.",
        "memo: an allowed name, then another in its place": b"cnumpy\ndtype\np0\n0cos\nsystem\np0\n0g0\n(S'"
        + text
        + b"'\ntR.",
        "memo: state through a shared name": b"cnumpy\ndtype\nq\x00}S'function'\ncos\nsystem\nsb0h\x00(S'x'\ntR.",
        "deep": b"]" * 100 + b"a" * 99 + b".",
        "an allowed global itself": b"cnumpy\ndtype\n.",
        "set": b"\x80\x04\x8f(K\x01\x90.",
        "hash that never ends": b"}\x80\x02K\x01q\x00" + b"h\x00h\x00\x86q\x00" * 60 + b"K\x01s.",
    }
    return found


NAMES = list(payloads("x"))


@pytest.mark.parametrize("name", NAMES)
def test_hostile_pickles_execute_nothing(tmp_path, name):
    witness = tmp_path / "executed"
    data = payloads(witness)[name]
    archive, plain = tmp_path / "a.npz", tmp_path / "a.pkl"
    plain.write_bytes(data)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, dict(descr="|O", fortran_order=False, shape=()))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("positions_3d.npy", header.getvalue() + data)
    (tmp_path / "a.npy").write_bytes(header.getvalue() + data)
    for read, file in ((read_pickle, plain), (read_npy, tmp_path / "a.npy"), (read_npz, archive)):
        with pytest.raises(ValueError, match=str(file)) as error:
            read(file, ["positions_3d"]) if read is read_npz else read(file)
        assert "Nothing of it was run" in str(error.value)
    assert not witness.exists()


@pytest.mark.parametrize("name", ["os.system, protocol 0", "builtins.eval, protocol 4", "INST", "OBJ"])
def test_these_payloads_would_work(tmp_path, name):
    witness = tmp_path / "executed"
    pickle.loads(payloads(witness)[name])
    assert witness.exists()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Call(os.system, "x"), 2), "asks for (posix|nt).system, which is refused"),
        (pickle.dumps(Call(eval, "x"), 0), "asks for builtins.eval"),
        (b"(S'x'\nios\nsystem\n.", "uses the instruction INST"),
        (b"cnumpy\nndarray\n((I9\nttR.", "calls numpy.ndarray, which is refused"),
        (pickle.dumps(np.arange(3), 2)[:-5], "cut off, or damaged"),
        (b"R.", "damaged pickle .IndexError"),
        (b"\x80\x04B\xff\xff\xff\x7f.", "2147483647 bytes are announced and 1 are there"),
        (b"", "0 are there"),
    ],
)
def test_refusals_say_what_was_refused(data, message):
    with pytest.raises(ValueError, match=message):
        load(data)


@pytest.mark.parametrize(
    "data",
    [
        b"c_codecs\nencode\np0\n0Vlatin1\np1\n0V" + b"x" * 10000 + b"\np2\n0(" + b"g0\n(g2\ng1\ntR" * 1000 + b"t.",
        b"\x80\x04\x8e" + struct.pack("<Q", 2**40) + b".",
        b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
        b"\x80\x04\x95" + struct.pack("<Q", 2**40) + b"N",
        b"\x80\x02Nr\xff\xff\xff\x7f",  # memo index that C's unpickler makes room for
        pickle.dumps(np.zeros(3), 2).replace(b"K\x03\x85", b"J\xff\xff\xff\x7f\x85"),
    ],
    ids=["the same text a thousand times", "BINBYTES8", "BYTEARRAY8", "FRAME", "memo", "shape"],
)
def test_sizes_in_a_pickle_take_no_memory(data):
    tracemalloc.start()
    try:
        with pytest.raises(ValueError):
            load(data)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def write_member(path, data, method=zipfile.ZIP_DEFLATED, name="a.npy"):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr(name, data)
    return path


def header(shape, descr="<f8", version=(1, 0)):
    file = io.BytesIO()
    text = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    file.write(np.lib.format.magic(*version) + struct.pack("<H" if version == (1, 0) else "<I", len(text)) + text)
    return file.getvalue()


def bomb(path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as member:
        member.write(header((2**24,)))
        for _ in range(128):
            member.write(bytes(2**20))


def lying_bomb(path):
    write_member(path, header((3,)) + bytes(24))
    data = path.read_bytes()
    size = struct.pack("<I", len(header((3,))) + 24)
    path.write_bytes(data.replace(size, struct.pack("<I", 2**31)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (bomb, "no recording shrinks so far"),
        (lying_bomb, "field 'a' .* announce 2147483648; no recording shrinks so far"),
        (lambda p: write_member(p, header((2**40,)) + bytes(8)), r"shape \(1099511627776,\) and type float64 takes"),
        (lambda p: write_member(p, header((2**62, 2**62)) + bytes(8)), "takes .* bytes, 8 are there"),
        (lambda p: write_member(p, header((-1,)) + bytes(8)), r"shape \(-1,\)"),
        (lambda p: write_member(p, header((2**40,), "|S0")), "0 are there"),
        (lambda p: write_member(p, header((1,), [("a", "O")]) + bytes(8)), "which is not read"),
        (lambda p: write_member(p, header((2,), "|O") + pickle.dumps(np.array([{}], object))), "do not agree"),
        (lambda p: write_member(p, header((1,), "|O") + pickle.dumps([1])), "do not agree"),
        (lambda p: write_member(p, header((1,), version=(2, 0)) + bytes(8)), "no valid .npy header"),
        (lambda p: write_member(p, header("__import__('os').getpid()") + bytes(8)), "no valid .npy header"),
        (lambda p: write_member(p, header("(" * 5000 + "1" + ",)" * 5000)), "no valid .npy header"),
        (lambda p: write_member(p, b"nothing"), "no valid .npy header"),
        (lambda p: write_member(p, header((4,)) + bytes(24)), "takes 32 bytes, 24 are there"),
        (lambda p: p.write_bytes(b"nothing"), "is no .npz archive"),
        (lambda p: p.write_bytes(b""), "is no .npz archive"),
        (lambda p: p.mkdir(), "is a directory; give the file itself"),
        (lambda p: None, "does not exist; docs/data.md"),
        (lambda p: write_member(p, header((3,)) + bytes(24), name="b.npy"), "field 'a' is missing; it has b: give"),
    ],
)
def test_broken_archives(tmp_path, make, message):
    path = tmp_path / "x.npz"
    make(path)
    tracemalloc.start()
    try:
        with pytest.raises((ValueError, OSError), match=f"x.npz: .*{message}"):
            read_npz(path, ["a"])
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()


def test_truncated_anywhere(tmp_path):
    whole, path = tmp_path / "whole.npz", tmp_path / "x.npz"
    np.savez_compressed(whole, a=np.arange(1000.0), b=np.array({"x": np.arange(100)}, dtype=object))
    data = whole.read_bytes()
    for end in range(0, len(data), 97):
        path.write_bytes(data[:end])
        with pytest.raises(ValueError, match="x.npz: is no .npz archive, or is cut off .*; fetch the file again"):
            read_npz(path, ["a", "b"])


def test_damaged_contents(tmp_path):
    path = tmp_path / "x.npz"
    np.savez_compressed(path, a=np.random.default_rng(0).normal(size=1000))
    data = bytearray(path.read_bytes())
    data[2000:2010] = bytes(10)
    path.write_bytes(data)
    with pytest.raises(ValueError, match="field 'a': damaged or cut off"):
        read_npz(path, ["a"])


def test_no_permission(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError("denied")

    path = tmp_path / "x.npz"
    path.touch()
    monkeypatch.setattr("builtins.open", denied)
    with pytest.raises(PermissionError, match="x.npz: may not be read; ask for permission"):
        read_npz(path, ["a"])


def test_limit(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.zeros(1000))
    np.save(tmp_path / "x.npy", np.zeros(1000))
    (tmp_path / "x.pkl").write_bytes(pickle.dumps(bytes(8000)))
    for read in (
        lambda limit: read_npz(tmp_path / "x.npz", ["a"], limit=limit)["a"],
        lambda limit: read_npy(tmp_path / "x.npy", limit),
        lambda limit: read_pickle(tmp_path / "x.pkl", limit),
    ):
        assert len(read(10000)) in (1000, 8000)
        with pytest.raises(ValueError, match="more than the limit of 1000"):
            read(1000)


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_what_numpy_writes(tmp_path, save):
    table = {"S1": {"Walking 1": np.arange(6.0)}}
    fortran = np.asfortranarray(np.arange(6).reshape(2, 3))
    save(tmp_path / "x.npz", table=table, fortran=fortran, text="abc", lists=np.array([[1], [1, 2]], dtype=object))
    assert set(npz_fields(tmp_path / "x.npz")) == {"table", "fortran", "text", "lists"}
    ours = read_npz(tmp_path / "x.npz", ["fortran", "table", "lists"], optional=["text", "other"])
    assert list(ours) == ["fortran", "table", "lists", "text"] and ours["text"].item() == "abc"
    np.testing.assert_array_equal(ours["table"]["S1"]["Walking 1"], np.arange(6.0))
    np.testing.assert_array_equal(ours["fortran"], fortran)
    assert ours["lists"].tolist() == [[1], [1, 2]]


def test_published_pickle(motion_dir):
    path = motion_dir / "mmpose-samples/cameras.pkl"
    theirs, ours = pickle.loads(path.read_bytes()), read_pickle(path)
    assert list(ours) == list(theirs) and len(ours) == 44
    for camera, fields in theirs.items():
        for name, value in fields.items():
            np.testing.assert_array_equal(ours[camera][name], value)
