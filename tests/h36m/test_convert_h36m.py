import pickle
import resource

import numpy as np
import pytest

from mpm_mmpose.converters.h36m import convert_h36m, open_h36m
from mpm_mmpose.data import PoseStore, PoseWindowDataset
from mpm_mmpose.readers.h36m import TEST_SUBJECTS, TRAIN_SUBJECTS


def test_splits(tmp_path, videopose3d, takes):
    path_3d, path_2d = videopose3d()
    sources = open_h36m([path_3d], [path_2d])
    train = convert_h36m(sources, tmp_path / "train", TRAIN_SUBJECTS, progress=False)
    test = convert_h36m(sources, tmp_path / "test", TEST_SUBJECTS, progress=False)
    assert (train.clips, train.frames, test.clips, test.frames) == (2, 12, 5, 24)
    store = PoseStore(tmp_path / "test")
    assert len(store) == 20 and set(store.subjects) == {"S9", "S11"}
    assert store.names[:2] == ("S9_Greeting.54138969", "S9_Greeting.55011271")
    assert set(store.actions) == {"Greeting", "Waiting", "WalkDog", "Photo"}
    assert store.lengths.tolist() == [n for n in (4, 5, 6, 3, 6) for _ in range(4)]
    assert store.meta["made_from"] == [str(path_3d), str(path_2d)] and store.meta["skip"] == "none"
    dataset = PoseWindowDataset(store=str(tmp_path / "test"), window=3, actions=["Waiting"])
    assert len(dataset) == (5 + 6) * 4
    assert dataset[0]["keypoints_3d"].shape == (1, 3, 17, 3) and abs(dataset[0]["keypoints"]).max() < 1.1


def test_skip_list(tmp_path, videopose3d):
    report = convert_h36m(open_h36m(videopose3d()[:1]), tmp_path / "s", TEST_SUBJECTS, skip="mmpose", progress=False)
    store = PoseStore(tmp_path / "s")
    assert {name.split(".")[0] for name in store.names} == {"S9_Waiting", "S9_WalkDog_1", "S11_Photo"}
    assert report.clips == 3 and report.skipped == [] and store.meta["skip"] == "mmpose"


def test_both_layouts_make_the_same_store(tmp_path, videopose3d, mmpose_files):
    for name, path in (("a", videopose3d()[0]), ("b", mmpose_files()[0])):
        convert_h36m(open_h36m([path]), tmp_path / name, TEST_SUBJECTS, progress=False)
    a, b = PoseStore(tmp_path / "a"), PoseStore(tmp_path / "b")
    assert a.names == b.names and a.actions == b.actions
    np.testing.assert_allclose(a.keypoints_3d, b.keypoints_3d, atol=1e-6)
    np.testing.assert_allclose(a.keypoints, b.keypoints, atol=1e-3)


def test_several_files(tmp_path, mmpose_files):
    """MMPose has one file per split; each goes with its own detections; subjects are found in the one that has them."""
    paths, detections = [], []
    for split, takes in (("train", {"S1": {"Walking": 5}}), ("test", {"S9": {"Eating 1": 4}, "S11": {"Eating": 3}})):
        path, detected = mmpose_files(takes=takes)
        paths.append(path.rename(tmp_path / f"h36m_{split}.npz"))
        detections.append(detected.rename(tmp_path / f"cpn_{split}.npy"))
    sources = open_h36m(paths, detections)
    for subjects, names in ((TRAIN_SUBJECTS, {"S1_Walking"}), (TEST_SUBJECTS, {"S9_Eating_1", "S11_Eating"})):
        convert_h36m(sources, tmp_path / "s", subjects, overwrite=True, progress=False)
        store = PoseStore(tmp_path / "s")
        assert {name.split(".")[0] for name in store.names} == names and (store.keypoint_scores[:] == 0.75).all()
    with pytest.raises(ValueError, match="cpn_train.npy: has 20 rows for 28 images; these do not belong together"):
        open_h36m(paths[1:], detections[:1])


def test_full_disk(tmp_path, videopose3d):
    """A limit on the size of files stands in for it: the error comes from the same write."""
    sources = open_h36m(videopose3d()[:1])
    before = sorted(tmp_path.iterdir())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (3000, limits[1]))
        with pytest.raises(OSError):
            convert_h36m(sources, tmp_path / "s", TEST_SUBJECTS, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(tmp_path.iterdir()) == before


def damage(table):
    table["S9"]["Greeting"] = table["S9"]["Greeting"] * 1000
    table["S4"] = dict(Walking=table["S1"]["Walking"])


def test_bad_recordings(tmp_path, videopose3d):
    sources = open_h36m(videopose3d(edit_3d=damage)[:1])
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match="positions_3d of S9 Greeting: a leg is"):
        convert_h36m(sources, tmp_path / "s", TEST_SUBJECTS, progress=False)
    assert sorted(tmp_path.iterdir()) == before
    report = convert_h36m(sources, tmp_path / "s", TEST_SUBJECTS, skip_bad=True, progress=False)
    assert [name for name, _ in report.skipped] == ["S9_Greeting", "S4_Walking"] and report.clips == 4
    assert [name for name, _ in PoseStore(tmp_path / "s").meta["skipped"]] == ["S9_Greeting", "S4_Walking"]


def test_nothing_left(tmp_path, videopose3d):
    def edit(table):
        for take in table["S11"]:
            table["S11"][take] *= np.nan
        del table["S9"]

    sources = open_h36m(videopose3d(edit_3d=edit)[:1])
    with pytest.raises(ValueError, match="none of 1 could be read; the last one: .* holds NaN"):
        convert_h36m(sources, tmp_path / "s", TEST_SUBJECTS, skip_bad=True, progress=False)
    with pytest.raises(ValueError, match="data_3d_h36m.npz: no recording of S5; is it the right file"):
        convert_h36m(sources, tmp_path / "s", ["S5"], progress=False)
    assert not (tmp_path / "s").exists()


def test_files_that_do_not_go(tmp_path, videopose3d):
    path_3d, path_2d = videopose3d()
    with pytest.raises(ValueError, match="cpn_ft_h36m_dbb.npz: has neither field 'positions_3d' .* but positions_2d, "):
        open_h36m([path_2d])
    with pytest.raises(ValueError, match="1 files of 2D are given for 2 of 3D"):
        open_h36m([path_3d, path_3d], [path_2d])
    (tmp_path / "x.pkl").write_bytes(pickle.dumps({}))
    with pytest.raises(ValueError, match="x.pkl: is no .npz archive"):
        open_h36m([tmp_path / "x.pkl"])


def exchange(table):
    table["S9"]["Greeting"] = [view[..., ::-1] for view in table["S9"]["Greeting"]]


def one_frame(table):
    table["S9"]["Greeting"][2][1] = 1e5


@pytest.mark.parametrize("edit", [exchange, one_frame])
def test_2d_that_is_not_of_its_3d_is_refused(tmp_path, videopose3d, edit):
    path_3d, path_2d = videopose3d(edit_2d=edit)
    with pytest.raises(
        ValueError, match="S9_Greeting.* its 2D is .* px from|S9_Greeting.*: keypoints goes up to 1e.05"
    ):
        convert_h36m(open_h36m([path_3d], [path_2d]), tmp_path / "s", TEST_SUBJECTS, progress=False)
    assert not (tmp_path / "s").exists()
    report = convert_h36m(open_h36m([path_3d], [path_2d]), tmp_path / "s", TEST_SUBJECTS, skip_bad=True, progress=False)
    assert [name for name, _ in report.skipped] == ["S9_Greeting"] and report.clips == 4


def test_agreement_is_reported(tmp_path, videopose3d):
    report = convert_h36m(open_h36m(*[[path] for path in videopose3d()]), tmp_path / "s", TEST_SUBJECTS, progress=False)
    # The 2D of the tests is (camera, 0.5) px off.
    assert str(report.agreement).startswith("2D 1.6 px from the projected 3D, 3 px in the worst frame (S")
