import numpy as np
import pytest

from mpm_mmpose.readers.mpi_inf_3dhp_pstmo import PSTMOFiles


def read_all(path):
    source = PSTMOFiles(path, "univ_annot3")
    return {recording.name: source.read(recording) for recording in source.recordings()}


def test_training(pstmo, motion, lens):
    path = pstmo()[0]
    recordings = read_all(path)
    assert list(recordings) == ["S1_Seq1", "S1_Seq2"]
    sequences = recordings["S1_Seq2"]
    assert [sequence.name for sequence in sequences] == [f"S1_Seq2.{i}" for i in (0, 1, 2, 4, 5, 6, 7, 8)]
    for sequence in sequences:
        image, points = motion(5, 1, int(sequence.camera))
        np.testing.assert_allclose(sequence.keypoints, image, rtol=1e-6)
        np.testing.assert_allclose(sequence.keypoints_3d, points * 0.9 / 1000, rtol=1e-6)
        assert (sequence.fps, sequence.width, sequence.height) == (50, 2048, 2048)
        np.testing.assert_allclose(sequence.intrinsics, lens, rtol=1e-3, atol=1e-6)
        assert sequence.keypoint_set == "mpi_inf_3dhp_17" and sequence.source == "data_train_3dhp.npz"


def test_test_set(pstmo, motion):
    recordings = read_all(pstmo()[1])
    (one,), (five,) = recordings["TS1"], recordings["TS5"]
    assert (one.width, one.height, five.width, five.height) == (2048, 2048, 1920, 1080)
    assert one.keypoint_scores[:, 3].tolist() == [1, 1, 0, 1, 1, 1, 1, 1] and len(five) == 4
    np.testing.assert_allclose(one.keypoints_3d, motion(8, 2, 0)[1] * 0.9 / 1000, rtol=1e-6)


def test_the_other_annotation_is_refused(pstmo):
    with pytest.raises(ValueError, match="P-STMO's files hold univ_annot3, not annot3; ask for that"):
        PSTMOFiles(pstmo()[0], "annot3")


def view(train):
    return train["S1 Seq1"][0]["0"]


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda train: train.update({"S9 Seq1": train.pop("S1 Seq1")}), "'S9_Seq1' is none of S1_Seq1 to S8_Seq2"),
        (lambda train: train.update({"S1 Seq1": 5}), "data of 'S1 Seq1': is no pair of cameras and rate"),
        (lambda train: train["S1 Seq1"].__setitem__(1, 30), "says 30 frames a second, the video has 25"),
        (lambda train: train["S1 Seq1"].__setitem__(0, {}), "has no cameras; leave it out"),
        (lambda train: view(train).pop("data_2d"), "camera 0: has no array 'data_2d'; give P-STMO's file"),
        (lambda train: view(train).update(data_2d=view(train)["data_2d"][:4]), "4 frames of 2D, 6 of 3D"),
        (lambda train: view(train).update(data_2d=view(train)["data_2d"][:, :16]), r"2D: is float64 of shape \(6, 16"),
        (lambda train: view(train).update(data_3d=view(train)["data_3d"] / 1000), "these are metres: multiply by 1000"),
        (lambda train: view(train)["data_3d"].__setitem__((2, 3, 1), np.inf), "NaN or infinity, first in frame 2"),
        (
            lambda train: view(train).update({k: v[:0] for k, v in view(train).items()}),
            "2D: has no frames; leave it out",
        ),
        (lambda train: view(train).update(data_2d=np.tile(view(train)["data_2d"], (2, 1, 1))), "12 frames of 2D, 6 of"),
        (lambda train: view(train).update(data_3d=view(train)["data_3d"].astype(int)), "3D: is int64 of shape"),
        (lambda train: train["S1 Seq1"].__setitem__(1, "25"), "is no pair of cameras and rate"),
        (lambda train: train["S1 Seq1"].__setitem__(0, np.zeros(())), "is no pair of cameras and rate"),
    ],
)
def test_bad_recording(pstmo, edit, message):
    path = pstmo(edit=lambda train, test: edit(train))[0]
    source = PSTMOFiles(path, "univ_annot3")
    with pytest.raises(ValueError, match=message) as error:
        source.read(source.recordings()[0 if "S9" not in message else -1])
    assert str(error.value).startswith(str(path))


@pytest.mark.parametrize("valid", [None, np.full(8, 2), np.ones((8, 1)), np.ones(5), np.zeros(8)])
def test_bad_valid(pstmo, valid):
    path = pstmo(edit=lambda train, test: test["TS1"].update(valid=valid))[1]
    with pytest.raises(
        ValueError, match="has no array 'valid'|not .frames,. of 0 and 1|5 of what is valid|no frame is"
    ):
        read_all(path)


def test_no_table(tmp_path):
    for data in (np.zeros(3), [1, 2], {}, {1: 2}):
        np.savez(tmp_path / "x.npz", data=np.array(data, dtype=object) if isinstance(data, dict) else data)
        with pytest.raises(ValueError, match="field 'data' is no table of recordings"):
            PSTMOFiles(tmp_path / "x.npz", "univ_annot3")
