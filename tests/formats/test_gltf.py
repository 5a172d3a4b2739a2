import json
import struct

import numpy as np
import pytest

from mpm_mmpose.formats.gltf import Glb, read_glb


def write(path):
    file = Glb()
    file.add("nodes", {"name": "a"})
    file.accessor(np.arange(5, dtype="u1"))
    file.accessor(np.array([[1.0, -2.0, 3.0], [0.0, 5.0, 1.0]], "<f4"), limits=True)
    file.animate(10.0, {0: np.zeros((3, 3))}, {0: np.tile((0, 0, 0, 1), (3, 1))})
    return file.write(path)


def test_a_file_is_as_the_standard_has_it_and_is_read_again(tmp_path):
    path = write(tmp_path / "a.glb")
    raw = path.read_bytes()
    magic, version, size, length, kind = struct.unpack_from("<4s4I", raw)
    assert (magic, version, size, kind) == (b"glTF", 2, len(raw), 0x4E4F534A) and length % 4 == 0
    content = json.loads(raw[20 : 20 + length])
    data = raw[28 + length :]
    assert content["buffers"] == [{"byteLength": len(data)}] and len(data) % 4 == 0
    second = content["accessors"][1]
    assert (second["type"], second["componentType"], second["count"]) == ("VEC3", 5126, 2)
    assert second["min"] == [0, -2, 1] and second["max"] == [1, 5, 3]
    start = content["bufferViews"][1]["byteOffset"]
    assert start % 4 == 0  # behind five bytes
    np.testing.assert_array_equal(np.frombuffer(data[start : start + 24], "<f4"), [1, -2, 3, 0, 5, 1])
    (animation,) = content["animations"]
    assert [one["target"] for one in animation["channels"]] == [
        {"node": 0, "path": "translation"},
        {"node": 0, "path": "rotation"},
    ]
    assert content["accessors"][animation["samplers"][0]["input"]]["max"] == [pytest.approx(0.2)]
    again = read_glb(path)
    assert again.content == content and bytes(again.data) == data


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda raw: b"PK" + raw[2:], "is no .glb"),
        (lambda raw: raw[:10], "cut off"),
        (lambda raw: raw[:-4], "cut off"),
        (lambda raw: raw[:4] + struct.pack("<I", 1) + raw[8:], "version 1"),
        (lambda raw: raw[:12] + struct.pack("<I", 2**31) + raw[16:], "cut off"),
        (lambda raw: raw[:20] + b"\xff" * 8 + raw[28:], "cut off"),
        (lambda raw: raw.replace(b'{"byteLength":', b'{"uri":"","x":', 1), "in another file"),
    ],
)
def test_damaged_files(tmp_path, damage, said):
    path = write(tmp_path / "a.glb")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=said) as error:
        read_glb(path)
    assert str(path) in str(error.value)


def test_a_list_instead_of_a_table(tmp_path):
    path = tmp_path / "a.glb"
    path.write_bytes(struct.pack("<4s4I", b"glTF", 2, 24, 4, 0x4E4F534A) + b"[1] ")
    with pytest.raises(ValueError, match="is no glTF"):
        read_glb(path)
