import filecmp

import pytest

from mpm_mmpose.converters import stores as convert
from mpm_mmpose.converters.stores import clip_names, convert_mocap
from mpm_mmpose.data.pose_store import PoseStore


@pytest.fixture
def clips(tmp_path, write_bvh, write_amc):
    """Three clips: dataset-1_walk_old_001, x/clip, 07/07_01."""
    frames = [dict(Hips=(0, 95, step, 0, 0, 0)) for step in range(30)]
    write_bvh("motion/dataset-1_walk_old_001.bvh", frames)
    write_bvh("motion/x/clip.bvh", frames[:7])
    write_amc("motion/07/07_01.amc", [dict(lfemur=(angle, 0, 0)) for angle in range(12)])
    return tmp_path / "motion"


def test_store_of_everything(tmp_path, clips):
    report = convert_mocap([clips], tmp_path / "store", cameras=2, workers=1, progress=False)
    store = PoseStore(tmp_path / "store")
    assert (report.clips, report.frames, report.skipped) == (3, 49, [])
    names = [f"{clip}.cam{camera}" for clip in ("07_01", "dataset-1_walk_old_001", "clip") for camera in range(2)]
    assert list(store.names) == names and store.lengths.tolist() == [12, 12, 30, 30, 7, 7]
    assert store.subjects[::2] == ("07", "old", "x") and store.actions[::2] == ("07_01", "walk", "clip")
    assert store.fps.tolist() == [120, 120, 30, 30, 30, 30]
    assert store.sources[0] == str(clips / "07/07_01.amc")
    assert store.meta["made_from"] == [str(clips)] and store.meta["files"] == 3
    assert (store.meta["cameras"], store.meta["seed"], store.meta["skipped"]) == (2, 0, [])


def test_same_store_for_any_number_of_processes(tmp_path, clips, capfd):
    for workers in (1, 2, 3):
        convert_mocap([clips], tmp_path / f"w{workers}", workers=workers, progress=False)
    assert capfd.readouterr().err == ""
    names = [file.name for file in (tmp_path / "w1").iterdir()]
    for workers in (2, 3):
        same, different, broken = filecmp.cmpfiles(tmp_path / "w1", tmp_path / f"w{workers}", names, shallow=False)
        assert len(same) == 9 and not different and not broken


def test_resampling(tmp_path, clips):
    convert_mocap([clips], tmp_path / "store", fps=15, cameras=1, progress=False)
    store = PoseStore(tmp_path / "store")
    assert set(store.fps) == {15} and store.lengths.tolist() == [2, 15, 4]


@pytest.mark.parametrize("workers", [1, 2])
def test_bad_files(tmp_path, clips, workers):
    bad = clips / "b.bvh"
    bad.write_text("HIERARCHY\nROOT Hips")
    out = tmp_path / "store"
    with pytest.raises(ValueError, match=r"b\.bvh: has no 'MOTION'"):
        convert_mocap([clips], out, workers=workers, progress=False)
    assert [file.name for file in tmp_path.iterdir()] == ["motion"]
    report = convert_mocap([clips], out, workers=workers, skip_bad=True, progress=False)
    assert report.clips == 3 and [file for file, _ in report.skipped] == [str(bad)]
    assert "has no 'MOTION'" in PoseStore(out).meta["skipped"][0][1]
    with pytest.raises(ValueError, match="none of 1 could be read; the last one: .*b.bvh"):
        convert_mocap([bad], tmp_path / "other", skip_bad=True, progress=False)


def test_interrupt_leaves_nothing(tmp_path, clips, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(convert, "project_views", interrupted)
    with pytest.raises(KeyboardInterrupt):
        convert_mocap([clips], tmp_path / "store", workers=1, progress=False)
    assert [file.name for file in tmp_path.iterdir()] == ["motion"]


def test_names_are_their_own(tmp_path):
    files = [tmp_path / name for name in ("a/clip.bvh", "b/clip.bvh", "b/walk.bvh")]
    assert list(clip_names(files).values()) == ["a/clip", "b/clip", "walk"]
    assert list(clip_names(files[:1]).values()) == ["clip"]
