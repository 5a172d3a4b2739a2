import os
from pathlib import Path

import pytest

from mpm_mmpose.readers import find_motion_files, read_motion
from mpm_mmpose.readers.keypoints_2d import find_keypoint_files
from mpm_mmpose.readers.mpi_inf_3dhp_original import find_original


def test_files_are_found_however_deep_and_once(tmp_path, write_bvh, write_amc):
    write_bvh("b/clip.bvh")
    write_bvh("a.BVH")
    trial = write_amc()
    (tmp_path / "b/notes.txt").write_text("")
    everything = [tmp_path / "07/07_01.amc", tmp_path / "a.BVH", tmp_path / "b/clip.bvh"]
    assert find_motion_files([tmp_path, trial, tmp_path / "b"]) == everything
    assert find_motion_files([tmp_path], format="bvh") == everything[1:]
    assert find_motion_files([str(tmp_path)], format="asf_amc") == everything[:1]
    assert [read_motion(file).name for file in everything] == ["07_01", "a", "clip"]


def test_format_goes_before_the_suffix(tmp_path, write_bvh):
    path = write_bvh("clip.txt")
    with pytest.raises(ValueError, match="clip.txt: suffix '.txt' is none of .bvh, .amc, .npz"):
        find_motion_files([path])
    assert find_motion_files([path], format="bvh") == [path]
    assert read_motion(path, format="bvh").name == "clip"
    with pytest.raises(ValueError, match="no reader for format 'auto' and suffix '.txt'"):
        read_motion(path)


def test_nothing_to_read(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere: does not exist"):
        find_motion_files([tmp_path / "nowhere"])
    with pytest.raises(ValueError, match="holds no .bvh or .amc or .npz files of motion"):
        find_motion_files([tmp_path])
    with pytest.raises(ValueError, match="format 'fbx' is not known; use auto, bvh, asf_amc, motion_npz"):
        find_motion_files([tmp_path], format="fbx")


def test_closed_folders_are_not_passed_over(tmp_path, write_bvh, monkeypatch):
    """Tests may run as root, to whom no folder is closed."""
    write_bvh("open/clip.bvh")
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def closed(path):
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    for find in (find_motion_files, find_keypoint_files):
        with pytest.raises(PermissionError, match=r"closed: may not be looked into; ask for permission .*chmod \+rx"):
            find([tmp_path])
    with pytest.raises(PermissionError, match="closed: may not be looked into"):
        find_original(tmp_path)


def test_links_that_lead_nowhere_are_not_passed_over(tmp_path, write_bvh):
    (tmp_path / "lost.bvh").symlink_to(tmp_path / "nowhere")
    clip = write_bvh("clip.bvh")
    assert find_motion_files([tmp_path]) == [clip, tmp_path / "lost.bvh"]
    with pytest.raises(FileNotFoundError, match="lost.bvh: does not exist"):
        read_motion(tmp_path / "lost.bvh")
