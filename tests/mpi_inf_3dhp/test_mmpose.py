import pickle

import numpy as np
import pytest

from mpm_mmpose.converters.mpi_inf_3dhp import convert_3dhp, open_3dhp
from mpm_mmpose.data import PoseStore
from mpm_mmpose.readers.mpi_inf_3dhp import TEST_SUBJECTS
from mpm_mmpose.readers.mpi_inf_3dhp_mmpose import MMPoseFiles


@pytest.fixture
def files(tmp_path, motion, lens, camera_place_in_file):
    """Function that writes mpi_inf_3dhp_train.npz and mpi_inf_3dhp_test_valid.npz, and the cameras beside them."""

    def write(edit=None, cameras=True):
        tables = {"train": ([], [], []), "test_valid": ([], [], [])}
        takes = [("train", f"S1_Seq2_Cam{i}", 5, i, range(5)) for i in (0, 2)]
        takes += [("test_valid", "TS1", 8, 0, [0, 1, 4, 5, 6]), ("test_valid", "TS5", 4, 0, range(4))]
        for split, name, frames, camera, kept in takes:
            image, points = motion(frames, 3, camera)
            names, part, space = tables[split]
            names += [f"{name}_{frame + 1:06d}.jpg" for frame in kept]
            ones = np.ones((len(kept), 17, 1))
            part.append(np.concatenate((image[list(kept)], ones), -1))
            space.append(np.concatenate((points[list(kept)] / 1000, ones), -1))
        paths = []
        for split, (names, part, space) in tables.items():
            fields = dict(imgname=np.array(names), part=np.concatenate(part), S=np.concatenate(space))
            fields |= dict(center=np.zeros((len(names), 2)), scale=np.ones(len(names)))
            if edit:
                edit(fields)
            paths.append(tmp_path / f"mpi_inf_3dhp_{split}.npz")
            np.savez(paths[-1], **fields)
        if cameras:
            inside = dict(f=lens[:2, None], c=lens[2:4, None])
            table = {"TS1": dict(inside, w=2048, h=2048, name="test_cam_1")}
            table["TS5"] = dict(inside, w=1920, h=1080, name="test_cam_5")
            (tmp_path / "cameras_test.pkl").write_bytes(pickle.dumps(table))
            places = {i: camera_place_in_file(i) for i in (0, 2)}
            table = {
                f"S1_Seq2_Cam{i}": dict(inside, R=rotation, T=translation[:, None], w=2048, h=2048, name="x")
                for i, (rotation, translation) in places.items()
            }
            (tmp_path / "cameras_train.pkl").write_bytes(pickle.dumps(table))
        return paths

    return write


def read_all(path):
    source = MMPoseFiles(path, "annot3")
    return [sequence for recording in source.recordings() for sequence in source.read(recording)]


def test_training(files, motion, lens, camera_place):
    sequences = read_all(files()[0])
    assert [sequence.name for sequence in sequences] == ["S1_Seq2.0", "S1_Seq2.2"]
    for sequence in sequences:
        image, points = motion(5, 3, int(sequence.camera))
        np.testing.assert_allclose(sequence.keypoints, image, rtol=1e-6)
        np.testing.assert_allclose(sequence.keypoints_3d, points / 1000, rtol=1e-6)
        np.testing.assert_allclose(sequence.intrinsics, lens, rtol=1e-6)
        rotation, translation = camera_place(int(sequence.camera))
        np.testing.assert_allclose(sequence.rotation, rotation, atol=1e-6)
        np.testing.assert_allclose(sequence.translation, translation, atol=1e-6)
        assert sequence.fps == 50 and sequence.keypoint_scores is None


def test_frames_left_out_end_a_sequence(files, motion):
    one, two, five = read_all(files()[1])
    assert (one.name, two.name, five.name) == ("TS1.000001", "TS1.000005", "TS5")
    np.testing.assert_allclose(one.keypoints_3d, motion(8, 3, 0)[1][:2] / 1000, rtol=1e-6)
    np.testing.assert_allclose(two.keypoints_3d, motion(8, 3, 0)[1][4:7] / 1000, rtol=1e-6)
    assert (five.width, five.height) == (1920, 1080) and (two.keypoint_scores == 1).all()


def test_without_cameras(files, lens):
    for path, size in zip(files(cameras=False), ((2048, 2048), (1920, 1080)), strict=True):
        sequence = read_all(path)[-1]
        np.testing.assert_allclose(sequence.intrinsics, lens, rtol=1e-3, atol=1e-6)
        assert (sequence.width, sequence.height) == size and sequence.rotation is None


def test_converting(tmp_path, files):
    report = convert_3dhp(open_3dhp(files(), "annot3"), tmp_path / "s", TEST_SUBJECTS, "annot3", progress=False)
    assert (report.clips, report.frames) == (2, 9) and PoseStore(tmp_path / "s").names[0] == "TS1.000001"


def test_the_other_annotation_is_refused(files):
    with pytest.raises(ValueError, match="MMPose's files hold annot3, not univ_annot3; ask for that"):
        MMPoseFiles(files()[0], "univ_annot3")


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda fields: fields.pop("S"), "field 'S' is missing"),
        (
            lambda fields: fields.update(S=fields["S"][..., :3]),
            r"field 'S': is float64 of shape .*, not \(frames, 17, 4",
        ),
        (lambda fields: fields.update(part=fields["part"][1:]), "field 'part' has 9 rows for 10 images"),
        (lambda fields: fields.update(S=fields["S"] * 1000), "these are millimetres: multiply by 0.001"),
        (lambda fields: fields.update(imgname=fields["imgname"][::-1]), "its images are not in order"),
        (lambda fields: fields.update(imgname=np.char.replace(fields["imgname"], "S1", "S9")), "'S9_Seq2' is none of"),
        (lambda fields: fields.update(imgname=np.char.replace(fields["imgname"], "Seq2", "Seq7")), "'S1_Seq7' is none"),
        (lambda fields: fields.update(S=fields["S"].astype(int)), "field 'S': is int64 of shape"),
        (lambda fields: fields.update(part=fields["part"] / 1024 - 1), "this is normalised, image px are expected"),
        (lambda fields: fields["imgname"].__setitem__(3, "x.jpg"), "row 3: 'x.jpg' is not like S1_Seq1_Cam0_000001"),
        (lambda fields: fields.update(imgname=np.arange(10)), "field 'imgname' is no list of names"),
        (lambda fields: fields["part"].__setitem__((2, 0, 0), np.nan), "field 'part': holds NaN or infinity"),
    ],
)
def test_bad_file(files, edit, message):
    def first(fields):
        if fields["imgname"][0].startswith("S1"):
            edit(fields)

    path = files(edit=first)[0]
    with pytest.raises(ValueError, match=message) as error:
        read_all(path)
    assert str(path) in str(error.value)


def test_bad_cameras(tmp_path, files):
    path = files()[0]
    for table, message in (
        ([1], "is no table of cameras"),
        ({"S1_Seq2_Cam0": {"f": 1}}, "'S1_Seq2_Cam0' needs numbers"),
    ):
        (tmp_path / "cameras_train.pkl").write_bytes(pickle.dumps(table))
        with pytest.raises(ValueError, match=f"cameras_train.pkl: .*{message}"):
            read_all(path)
