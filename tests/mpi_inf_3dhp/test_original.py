import gzip
import struct
import zlib

import numpy as np
import pytest

from mpm_mmpose.pose.geometry import camera_to_world, project
from mpm_mmpose.readers.matlab import MissingPackageError, read_mat5
from mpm_mmpose.readers.mpi_inf_3dhp import VIDEOS, MPIInf3DHPRecording
from mpm_mmpose.readers.mpi_inf_3dhp_original import TestFile, TrainingFile, find_original, read_calibration


def read(path, annotation="annot3"):
    reader = (TestFile if path.name == "annot_data.mat" else TrainingFile)(path, annotation)
    (recording,) = reader.recordings()
    return reader.read(recording)


def test_training(training, motion, lens, camera_place):
    sequences = read(training())
    assert [sequence.name for sequence in sequences] == [f"S1_Seq1.{i}" for i in (0, 1, 2, 4, 5, 6, 7, 8)]
    for sequence in sequences:
        image, points = motion(6, 1, int(sequence.camera))
        np.testing.assert_allclose(sequence.keypoints, image, rtol=1e-6)
        np.testing.assert_allclose(sequence.keypoints_3d, points / 1000, rtol=1e-6)
        np.testing.assert_allclose(sequence.intrinsics, lens, rtol=1e-6)
        rotation, translation = camera_place(int(sequence.camera))
        np.testing.assert_allclose(sequence.rotation, rotation, atol=1e-6)
        np.testing.assert_allclose(sequence.translation, translation, atol=1e-6)
        assert (sequence.width, sequence.height, sequence.fps) == (2048, 2048, 25)
        assert (sequence.subject, sequence.action, sequence.keypoint_set) == ("S1", "Seq1", "mpi_inf_3dhp_17")
        assert sequence.source == "S1/Seq1/annot.mat" and sequence.keypoint_scores is None
    worlds = [camera_to_world(s.keypoints_3d, s.rotation, s.translation) for s in sequences]
    for world in worlds[1:]:
        np.testing.assert_allclose(world, worlds[0], atol=1e-5)


def test_switch(training, testing, motion):
    """The universal skeleton is another person: smaller, and without a place in the world."""
    for path, frames, seed, valid in ((training(), 6, 1, slice(None)), (testing(), 8, 2, [0, 1, 4, 5, 6, 7])):
        own, universal = read(path)[0], read(path, "univ_annot3")[0]
        points = motion(frames, seed, 0)[1] / 1000
        np.testing.assert_allclose(own.keypoints_3d[valid], points[valid], rtol=1e-6)
        np.testing.assert_allclose(universal.keypoints_3d[valid], points[valid] * 0.9, rtol=1e-6)
        assert universal.rotation is None and universal.translation is None


def test_intrinsics_without_calibration(training, testing, lens):
    """Found from 2D and 3D where these belong together, and left open where not."""
    for path in (training(calibration=False), testing()):
        sequence = read(path, "univ_annot3")[0]
        np.testing.assert_allclose(sequence.intrinsics, lens, rtol=1e-3, atol=1e-6)
        used = slice(None) if sequence.keypoint_scores is None else sequence.keypoint_scores[:, 0] > 0
        image = project(sequence.keypoints_3d[used], sequence.intrinsics)
        np.testing.assert_allclose(image, sequence.keypoints[used], atol=0.1)

    def edit(fields):
        for cell in fields["annot2"][:, 0]:
            cell[:] = cell[:, ::-1].clip(0, 2000)

    assert read(training(calibration=False, edit=edit))[0].intrinsics is None


def test_frames_beyond_the_video(training, monkeypatch):
    assert VIDEOS["S1_Seq2"] == (12430, 50)
    monkeypatch.setitem(VIDEOS, "S1_Seq2", (4, 50))
    sequence = read(training(take="Seq2"))[0]
    assert len(sequence) == 4 and sequence.fps == 50


def test_test_set(testing, motion):
    (sequence,) = read(testing())
    image, points = motion(8, 2, 0)
    valid = np.array([1, 1, 0, 0, 1, 1, 1, 1], bool)
    assert sequence.name == "TS1" and sequence.fps == 25 and sequence.source == "TS1/annot_data.mat"
    np.testing.assert_array_equal(sequence.keypoint_scores, np.repeat(valid[:, None], 17, 1))
    np.testing.assert_allclose(sequence.keypoints[valid], image[valid], rtol=1e-6)
    np.testing.assert_allclose(sequence.keypoints_3d[valid], points[valid] / 1000, rtol=1e-6)
    assert (sequence.keypoints_3d[~valid] == 0).all() and (sequence.keypoints[~valid] == 0).all()
    reader = TestFile(testing(), "annot3")
    assert reader.activities(MPIInf3DHPRecording("TS1")) == [(0, 1), (2, 2), (5, 7), (6, 1)]


@pytest.mark.parametrize(("subject", "size"), [("TS4", (2048, 2048)), ("TS5", (1920, 1080)), ("TS6", (1920, 1080))])
def test_image_sizes(testing, subject, size):
    (sequence,) = read(testing(subject=subject))
    assert (sequence.width, sequence.height) == size


def test_finding(tmp_path, training, testing):
    paths = [training("S2", "Seq2"), training(), testing("TS3")]
    training("backup", "Seq1")
    assert find_original(tmp_path) == sorted(paths)
    with pytest.raises(ValueError, match="holds neither S1/Seq1/annot.mat nor TS1/annot_data.mat"):
        find_original(tmp_path / "backup")


def each(field, change):
    def edit(fields):
        for i, cell in enumerate(fields[field][:, 0]):
            fields[field][i, 0] = change(cell)

    return edit


def with_nan(cell):
    cell[3, 30] = np.nan
    return cell


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda fields: fields.pop("annot3"), "field 'annot3' is missing; it has"),
        (lambda fields: fields.update(cameras=np.arange(8, dtype=np.uint8)[None]), "'cameras' has no camera 8; fetch"),
        (lambda fields: fields.update(annot3=fields["annot3"][:8]), "'annot3', cell 8: is missing"),
        (lambda fields: fields.update(annot3=np.zeros((14, 84))), "'annot3', cell 0: is missing; fetch"),
        (each("annot3", lambda cell: cell[:, :51]), r"is of shape \(6, 51\), not \(frames, 84\)"),
        (each("annot3", lambda cell: cell / 1000), "a leg is 0.8.* these are metres: multiply by 1000"),
        (each("annot3", lambda cell: cell[:4]), "6 frames of 2D, 4 of 3D, .*; these do not belong together"),
        (each("annot2", lambda cell: cell[:4]), "4 frames of 2D, 6 of 3D, .*; these do not belong together"),
        (each("annot2", lambda cell: cell / 1024 - 1), "this is normalised, image px are expected"),
        (each("annot3", with_nan), "3D: holds NaN or infinity, first in frame 3"),
        (each("annot3", lambda cell: cell.astype(np.int32)), "3D: is int32 of shape"),
        (each("annot3", lambda cell: -cell), "is partly behind the camera"),
    ],
)
def test_bad_training_file(training, edit, message):
    path = training(calibration=False, edit=edit)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_no_frames(training):
    def edit(fields):
        for field in ("annot2", "annot3"):
            each(field, lambda cell: cell[:0])(fields)

    with pytest.raises(ValueError, match="has no frames; leave it out"):
        read(training(calibration=False, edit=edit))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            lambda fields: fields.pop("valid_frame"),
            "field 'valid_frame' is missing; it has activity_annotation, annot2",
        ),
        (lambda fields: fields.update(annot3=fields["annot3"][:, 0]), r"is of shape \(8, 17, 3\), not \(frames, 1, 17"),
        (lambda fields: fields.update(annot3=fields["annot3"][:, :, :16]), r"'annot3': is of shape \(8, 1, 16, 3\)"),
        (lambda fields: fields.update(annot3="text"), "'annot3': is no array of numbers"),
        (lambda fields: fields.update(annot3=fields["annot3"] / 1000), "these are metres: multiply by 1000"),
        (lambda fields: fields.update(annot3=fields["annot3"][:7]), "8 frames of 2D, 7 of 3D"),
        (
            lambda fields: fields.update({k: fields[k][:0] for k in ("annot2", "annot3", "valid_frame")}),
            "has no frames",
        ),
        (lambda fields: fields.update(annot2=fields["annot2"] * 1e300), "2D: holds a value of .*e.30.; it is damaged"),
        (lambda fields: fields.update(valid_frame=fields["valid_frame"] * 2), "not .frames,. of 0 and 1"),
        (lambda fields: fields.update(valid_frame=fields["valid_frame"] * 0), "no frame is valid; leave it out"),
        (lambda fields: fields.update(valid_frame=fields["valid_frame"] * 0 + 1), "2D: holds NaN or infinity"),
    ],
)
def test_bad_test_file(testing, edit, message):
    path = testing(edit=edit)
    with pytest.raises(ValueError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_bad_activity(testing):
    path = testing(edit=lambda fields: fields.update(activity_annotation=np.full((8, 1), 9.0)))
    with pytest.raises(ValueError, match="'activity_annotation' is not of numbers 0 to 7"):
        TestFile(path, "annot3").activities(MPIInf3DHPRecording("TS1"))


def test_unknown_recording(training, testing):
    with pytest.raises(ValueError, match="by its folders: 'S9_Seq1' is none of S1_Seq1 to S8_Seq2"):
        read(training(subject="S9"))
    with pytest.raises(ValueError, match="by its folder: 'TS7' is none of"):
        read(testing(subject="TS7"))


def test_files_of_another_kind(tmp_path, training, testing):
    cases = [
        (b"", "is no MATLAB file, version 5 is expected"),
        (b"x" * 500, "is no MATLAB file"),
        (testing().read_bytes(), "is a MATLAB 7.3 file, version 5 is expected"),
        (gzip.compress(b"x"), "is no MATLAB file"),
    ]
    path = training()
    whole = path.read_bytes()
    cases += [(whole[:cut], "is cut off|is damaged") for cut in (130, 140, 5000, len(whole) - 10)]
    for content, message in cases:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            read(path)
    path = testing()
    whole = path.read_bytes()
    for content in (b"", b"x" * 500, whole[:700], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is no MATLAB 7.3 file, or is cut off"):
            read(path)
    folder = tmp_path / "S2" / "Seq1" / "annot.mat"
    folder.mkdir(parents=True)
    with pytest.raises(IsADirectoryError, match="is a directory; give the file itself"):
        read(folder)


def test_bomb(training):
    """Of 200 MB that a file of 200 kB announces, none is kept."""
    path = training()
    packed = zlib.compress(bytes(200 * 2**20))
    path.write_bytes(path.read_bytes()[:128] + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(ValueError, match="takes more than the limit of 100000000 bytes"):
        read_mat5(path, ["annot2"], limit=10**8)
    with pytest.raises(ValueError, match=r"annot.mat: \d+ bytes announce \d+; no recording shrinks so far; fetch"):
        read(path)


def test_hdf5_may_not_point_elsewhere(testing, tmp_path):
    h5py = pytest.importorskip("h5py")
    path = testing()
    with h5py.File(path, "r+") as file:
        del file["annot3"]
        file["annot3"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "secret")
    with pytest.raises(ValueError, match="'annot3': is no array of numbers"):
        read(path)


def test_absurd_shape(testing):
    h5py = pytest.importorskip("h5py")
    path = testing()
    with h5py.File(path, "r+") as file:
        del file["annot3"]
        file.create_dataset("annot3", (10**12, 1, 17, 3), "f4", chunks=(100, 1, 17, 3))
    with pytest.raises(ValueError, match="'annot3': takes 204000000000000 bytes, more than the limit"):
        read(path)
    with h5py.File(path, "r+") as file:
        del file["annot3"]
        file.create_dataset("annot3", (10**6, 1, 17, 3), "f4", chunks=(100, 1, 17, 3))
    with pytest.raises(ValueError, match="'annot3': 0 bytes announce 204000000; no recording shrinks so far"):
        read(path)


def test_without_h5py(testing, monkeypatch):
    path = testing()
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingPackageError, match="needs the h5py package .*; run: pip install h5py"):
        read(path)


def test_calibration(training):
    path = training()
    file = path.with_name("camera.calibration")
    text = file.read_text()
    assert len(read_calibration(file)) == 14
    cases = [
        ("", "holds no cameras; fetch the file again, or remove it"),
        (text.replace("intrinsic", "matrix"), "camera '0': 'intrinsic'; fetch"),
        (text.replace("1497.5", "nan"), "camera '0': intrinsic is not 16 numbers"),
        (text.replace("1497.5", "many"), "camera '0': could not convert"),
        (text.split("name          8")[0], "camera.calibration: has no camera 8; fetch"),
        (text.replace("1497.5", "2497.5"), "camera 0 does not take annot3 to annot2 of .*annot.mat; the files do not"),
    ]
    for content, message in cases:
        file.write_text(content)
        with pytest.raises(ValueError, match=message):
            read(path)
