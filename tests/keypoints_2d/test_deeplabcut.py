"""Two files that pandas and PyTables wrote, as DeepLabCut does, of 12 frames and 13 body parts that are called ours."""

import gzip
import pickle
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from mpm_mmpose.readers.keypoints_2d import read_keypoints_2d
from mpm_mmpose.readers.matlab import MissingPackageError

HERE = Path(__file__).parent
LIMBS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")
PARTS = ["nose", *(f"{side}_{part}" for part in LIMBS for side in ("left", "right"))]


@pytest.fixture
def unpacked(tmp_path):
    def unpack(name):
        path = tmp_path / name
        path.write_bytes(gzip.decompress((HERE / f"{name}.gz").read_bytes()))
        return path

    return unpack


def values(path):
    with h5py.File(path) as file:
        return file["df_with_missing/table"]["values_block_0"].reshape(12, -1, 13, 3)


def as_csv(path, table, individuals):
    """What DeepLabCut writes beside it."""
    number = len(individuals) * 39
    parts = [part for _ in individuals for part in PARTS for _ in range(3)]
    lines = [["scorer", *["net"] * number]]
    if len(individuals) > 1:
        lines.append(["individuals", *(one for one in individuals for _ in range(39))])
    lines += [["bodyparts", *parts], ["coords", *["x", "y", "likelihood"] * (number // 3)]]
    lines += [[row, *("" if np.isnan(value) else value for value in table[row].ravel())] for row in range(12)]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines) + "\n")
    return path


def test_one_person(unpacked):
    path = unpacked("walkDLC.h5")
    (found,) = read_keypoints_2d(path)
    table = values(path)[:, 0]
    np.testing.assert_allclose(found.keypoints[0], table[0, :, :2], rtol=1e-6)
    np.testing.assert_array_equal(found.frames, np.arange(12))
    assert found.keypoint_set == "custom:" + ",".join(PARTS) and found.tracks is None
    assert found.scores[3, 5] == 0 and (found.scores == np.float32(0.9)).sum() == 12 * 13 - 1


@pytest.mark.parametrize(("name", "individuals"), [("walkDLC.h5", ("one",)), ("walkDLC_two.h5", ("one", "two"))])
def test_the_table_beside_it_is_the_same(unpacked, tmp_path, name, individuals):
    path = unpacked(name)
    (found,) = read_keypoints_2d(path)
    (other,) = read_keypoints_2d(as_csv(tmp_path / "walk.csv", values(path), individuals))
    assert found.keypoint_set == other.keypoint_set
    for field in ("frames", "keypoints", "scores", "tracks", "listed"):
        np.testing.assert_array_equal(getattr(found, field), getattr(other, field))


def test_two_people(unpacked):
    (found,) = read_keypoints_2d(unpacked("walkDLC_two.h5"))
    assert np.unique(found.tracks, return_counts=True)[1].tolist() == [12, 8]  # the second is there from frame 4 on
    assert found.frames[found.tracks == 1].tolist() == list(range(4, 12))
    apart = found.keypoints[found.tracks == 1] - found.keypoints[(found.tracks == 0) & (found.frames >= 4)]
    np.testing.assert_allclose(np.median(apart, axis=(0, 1)), [300, 0], atol=1e-3)


class Evil:
    def __reduce__(self):
        return print, ("executed",)


def spoil(path, how):
    with h5py.File(path, "r+") as file:
        how(file)
    return path


def rename(names):
    def change(file):
        file["df_with_missing/table"].attrs["values_block_0_kind"] = np.void(pickle.dumps(names, 0))

    return change


def link_out(file):
    del file["df_with_missing/table"]
    file["df_with_missing/table"] = h5py.ExternalLink("/etc/passwd", "/table")


def call_rows_by_name(file):
    table = file["df_with_missing/table"][()]
    kept = dict(file["df_with_missing/table"].attrs)
    del file["df_with_missing/table"]
    rows = np.zeros(12, [("index", "S9"), ("values_block_0", "<f8", (39,))])
    rows["values_block_0"] = table["values_block_0"]
    file["df_with_missing/table"] = rows
    file["df_with_missing/table"].attrs.update(kept)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (rename([("net", "nose", Evil())]), "print"),
        (rename("nose"), "are not DeepLabCut's"),
        (rename([("a", "b")]), "are not DeepLabCut's"),
        (rename([("net", "nose", axis) for axis in ("x", "y", "likelihood")]), "39 columns have 3 names"),
        (rename([("net", f"part{index}", "x") for index in range(39)]), "have no x and y"),
        (lambda file: file.create_group("other").create_dataset("table", data=np.zeros(3)), "holds 2 tables"),
        (lambda file: file.__delitem__("df_with_missing"), "holds 0 tables"),
        (link_out, "its table is of another kind"),
        (call_rows_by_name, "called by names"),
        (lambda file: file["df_with_missing/table"].attrs.__delitem__("values_block_0_kind"), "no HDF5 of DeepLabCut"),
    ],
)
def test_files_that_are_no_tables(unpacked, capfd, how, said):
    path = spoil(unpacked("walkDLC.h5"), how)
    with pytest.raises(ValueError, match=said):
        read_keypoints_2d(path)
    assert "executed" not in capfd.readouterr().out


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"\x89HDF\r\n\x1a\n" + bytes(200)])
def test_files_that_are_no_hdf5(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(ValueError, match="x.h5: is no HDF5 of DeepLabCut, or is cut off .*; give the .csv"):
        read_keypoints_2d(tmp_path / "x.h5")


def test_without_h5py(unpacked, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingPackageError, match="walkDLC.h5: HDF5 needs the h5py package"):
        read_keypoints_2d(unpacked("walkDLC.h5"))
