import numpy as np
import pytest

from mpm_mmpose.converters.mpi_inf_3dhp import convert_3dhp, open_3dhp
from mpm_mmpose.data import PoseStore, PoseWindowDataset
from mpm_mmpose.readers.mpi_inf_3dhp import TEST_SUBJECTS, TRAIN_SUBJECTS


def test_original(tmp_path, training, testing):
    training(), training("S2", "Seq2"), testing(), testing("TS6")
    sources = open_3dhp([tmp_path], "annot3")
    train = convert_3dhp(sources, tmp_path / "train", TRAIN_SUBJECTS, "annot3", progress=False)
    test = convert_3dhp(sources, tmp_path / "test", TEST_SUBJECTS, "annot3", progress=False)
    assert (train.clips, train.frames, test.clips, test.frames) == (2, 12, 2, 16)
    store = PoseStore(tmp_path / "train")
    assert len(store) == 16 and set(store.subjects) == {"S1", "S2"} and store.keypoint_set == "mpi_inf_3dhp_17"
    assert store.meta["annotation"] == "annot3" and store.meta["activities"] == {}
    store = PoseStore(tmp_path / "test")
    assert store.names == ("TS1", "TS6") and store.heights.tolist() == [2048, 1080]
    assert store.keypoint_scores[:, 0].tolist() == [1, 1, 0, 0, 1, 1, 1, 1] * 2
    assert store.meta["activities"]["TS6"] == [[0, 1], [2, 2], [5, 7], [6, 1]]


def test_pstmo_makes_the_same(tmp_path, training, pstmo):
    """Its script makes its files of the original ones."""
    training(calibration=False), training(take="Seq2", frames=5, calibration=False)
    for name, paths in (("a", [tmp_path]), ("b", pstmo())):
        sources = open_3dhp(paths, "univ_annot3")
        convert_3dhp(sources, tmp_path / name, TRAIN_SUBJECTS, "univ_annot3", progress=False)
    a, b = PoseStore(tmp_path / "a"), PoseStore(tmp_path / "b")
    assert a.names == b.names and a.fps.tolist() == b.fps.tolist() == [25] * 8 + [50] * 8
    np.testing.assert_allclose(a.keypoints_3d, b.keypoints_3d, rtol=1e-6)
    np.testing.assert_allclose(a.keypoints, b.keypoints, rtol=1e-6)
    np.testing.assert_allclose(a.intrinsics, b.intrinsics, rtol=1e-4, atol=1e-6)


def test_windows_in_the_common_keypoints(tmp_path, pstmo, motion):
    sources = open_3dhp(pstmo(), "univ_annot3")
    convert_3dhp(sources, tmp_path / "s", TRAIN_SUBJECTS, "univ_annot3", progress=False)
    dataset = PoseWindowDataset(store=str(tmp_path / "s"), window=1, keypoint_set="common_16", sequences=["S1_Seq1.4"])
    order = [14, 8, 9, 10, 11, 12, 13, 15, 1, 0, 5, 6, 7, 2, 3, 4]
    image, points = motion(6, 1, 4)
    batch = dataset[3]
    np.testing.assert_allclose(batch["keypoints_3d"][0, 0], points[3, order] * 0.9 / 1000, rtol=1e-5)
    np.testing.assert_allclose(batch["keypoints"][0, 0], image[3, order] / 1024 - 1, atol=1e-5)


def test_bad_recordings(tmp_path, pstmo):
    def edit(train, test):
        train["S1 Seq1"][0]["2"]["data_3d"] *= 0.001
        train["S0 Seq1"] = train["S1 Seq2"]

    sources = open_3dhp(pstmo(edit=edit), "univ_annot3")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match="data of 'S1 Seq1', camera 2: a leg is"):
        convert_3dhp(sources, tmp_path / "s", TRAIN_SUBJECTS, "univ_annot3", progress=False)
    assert sorted(tmp_path.iterdir()) == before
    report = convert_3dhp(sources, tmp_path / "s", TRAIN_SUBJECTS, "univ_annot3", skip_bad=True, progress=False)
    assert [name for name, _ in report.skipped] == ["S1_Seq1", "S0_Seq1"] and report.clips == 1
    assert [name for name, _ in PoseStore(tmp_path / "s").meta["skipped"]] == ["S1_Seq1", "S0_Seq1"]


def test_wrong_files(tmp_path, pstmo):
    train, test = pstmo()
    with pytest.raises(ValueError, match="no recording of TS1, .*; is it the right file or folder"):
        convert_3dhp(open_3dhp([train], "univ_annot3"), tmp_path / "s", TEST_SUBJECTS, "univ_annot3", progress=False)
    with pytest.raises(ValueError, match="annotation 'both' is not known; say which is wanted, annot3 or univ_annot3"):
        open_3dhp([train], "both")
    np.savez(tmp_path / "x.npz", poses=np.zeros(3))
    with pytest.raises(ValueError, match="x.npz: has neither field 'data' .* but poses; give one of these"):
        open_3dhp([tmp_path / "x.npz"], "annot3")
