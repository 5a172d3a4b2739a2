import io
import os
import struct
import zipfile

import numpy as np
import pytest

from mpm_mmpose.datasets.readers.npz_fields import NpzFields


def npy(shape, dtype="<f8", data=b"", version=1):
    """A .npy file whose header says ``shape`` and ``dtype`` whatever its data is."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(header)) + header + data


def archive(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_arrays_are_as_they_were(tmp_path, save):
    arrays = dict(
        matrix=np.arange(6.0).reshape(2, 3),
        turned=np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
        text=np.array("female"),
        nothing=np.zeros((0, 3)),
    )
    save(tmp_path / "a.npz", **arrays)
    with NpzFields(tmp_path / "a.npz") as npz:
        assert npz.names == set(arrays)
        for name, array in arrays.items():
            result = npz.read(name)
            assert result.dtype == array.dtype
            np.testing.assert_array_equal(result, array)


class Hostile:
    ran = False

    def __reduce__(self):
        return (setattr, (Hostile, "ran", True))


def test_objects_are_not_unpickled(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([Hostile()], object))
    with NpzFields(tmp_path / "a.npz") as npz, pytest.raises(ValueError, match=r"a\.npz: field 'x' .* pickled"):
        npz.read("x")
    assert not Hostile.ran


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (npy("(1000000000000, 3)"), "which its data does not fill"),
        (npy("(-1, -8)", data=bytes(64)), "which its data does not fill"),
        (npy("(9,)", "<U0"), "which its data does not fill"),
        (npy("(3,)", data=bytes(23)), "which its data does not fill"),
        (npy("(3,)", data=bytes(25)), "which its data does not fill"),
        (npy("(3,)", version=9, data=bytes(24)), "cannot be read"),
        (npy("__import__('os').getcwd()"), "cannot be read"),
        (b"PK nonsense", "cannot be read"),
        (b"", "cannot be read"),
    ],
)
def test_dishonest_headers_are_refused(tmp_path, data, message):
    with NpzFields(archive(tmp_path / "a.npz", x=data)) as npz, pytest.raises(ValueError, match=message):
        npz.read("x")


def test_too_large_arrays_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr("mpm_mmpose.datasets.readers.npz_fields.LARGEST", 10_000)
    np.savez_compressed(tmp_path / "bomb.npz", x=np.zeros(2000))
    with NpzFields(tmp_path / "bomb.npz") as npz, pytest.raises(ValueError, match="it would take 16000 bytes"):
        npz.read("x")


def test_damaged_data_is_noticed(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, x=np.arange(1000.0))
    data = bytearray(path.read_bytes())
    data[4000] ^= 255
    path.write_bytes(data)
    with NpzFields(path) as npz, pytest.raises(ValueError, match="field 'x' cannot be read: Bad CRC-32"):
        npz.read("x")


def test_what_is_no_archive(tmp_path):
    buffer = io.BytesIO()
    np.savez(buffer, x=np.zeros(100))
    for name, data in (("cut", buffer.getvalue()[:-30]), ("text", b"hello"), ("empty", b"")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=f"{name}: is no .npz archive, or is cut off"):
            NpzFields(tmp_path / name)
    with pytest.raises(IsADirectoryError, match="is a folder; give the .npz file in it"):
        NpzFields(tmp_path)
    with pytest.raises(FileNotFoundError):
        NpzFields(tmp_path / "nowhere")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_permission(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros(1))
    (tmp_path / "a.npz").chmod(0)
    with pytest.raises(PermissionError, match=r"a\.npz: you may not read it"):
        NpzFields(tmp_path / "a.npz")
