import pickle

import numpy as np
import pytest

from mpm_mmpose.pose.geometry import camera_to_world, project
from mpm_mmpose.readers.archives import read_pickle
from mpm_mmpose.readers.h36m import H36MRecording, cameras
from mpm_mmpose.readers.h36m_mmpose import MMPoseFiles
from mpm_mmpose.readers.h36m_videopose3d import VideoPose3DFiles


@pytest.fixture
def cameras_file(tmp_path):
    """cameras.pkl as MMPose's converter writes it."""
    table = {}
    for subject in ("S1", "S9", "S11"):
        for camera in cameras(subject):
            fx, fy, cx, cy, k1, k2, k3, p1, p2 = camera.intrinsics
            table[subject, camera.name] = dict(
                R=camera.rotation.T,
                T=(-camera.rotation.T @ camera.translation)[:, None],
                c=np.array([[cx], [cy]]),
                f=np.array([[fx], [fy]]),
                k=np.array([[k1], [k2], [k3]]),
                p=np.array([[p2], [p1]]),
                w=camera.width,
                h=camera.height,
                name="camera1",
                id=camera.name,
            )
    path = tmp_path / "cameras.pkl"
    path.write_bytes(pickle.dumps(table))
    return path


def test_same_as_the_other_layout(mmpose_files, videopose3d):
    """Both layouts of the same motion give the same sequences, but for the noise that was put on the 2D of the one."""
    ours, theirs = MMPoseFiles(mmpose_files()[0]), VideoPose3DFiles(videopose3d()[0])
    assert [r.name for r in ours.recordings()] == [r.name for r in theirs.recordings()]
    for ours_recording, theirs_recording in zip(ours.recordings(), theirs.recordings(), strict=True):
        for one, other in zip(ours.read(ours_recording), theirs.read(theirs_recording), strict=True):
            for field in ("name", "subject", "action", "camera", "width", "height", "fps"):
                assert getattr(one, field) == getattr(other, field)
            for field in ("keypoints_3d", "intrinsics", "rotation", "translation"):
                np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-6, atol=1e-6)
            np.testing.assert_allclose(one.keypoints, other.keypoints, atol=1e-3)
            assert one.keypoint_scores is None


def test_detections(mmpose_files):
    annotated, detected = MMPoseFiles(mmpose_files()[0]), MMPoseFiles(*mmpose_files())
    for recording in annotated.recordings():
        for one, other in zip(annotated.read(recording), detected.read(recording), strict=True):
            np.testing.assert_allclose(one.keypoints + 1, other.keypoints, atol=1e-3)
            assert (other.keypoint_scores == 0.75).all() and other.keypoint_scores.shape == (len(one), 17)


def test_cameras_file(mmpose_files, cameras_file):
    built_in, given = MMPoseFiles(mmpose_files()[0]), MMPoseFiles(mmpose_files()[0], cameras_file=cameras_file)
    for recording in given.recordings():
        for one, other in zip(built_in.read(recording), given.read(recording), strict=True):
            for field in ("intrinsics", "rotation", "translation", "width", "height"):
                np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-6)


def test_every_fifth_image(mmpose_files):
    source = MMPoseFiles(mmpose_files(step=5)[0])
    assert [(len(s), s.fps) for s in source.read(H36MRecording("S1", "Walking"))] == [(2, 10)] * 4


def test_published_sample(motion_dir):
    """Four genuine rows: 2D is 3D projected by the camera that the name says, and goes back to a person in the room."""
    folder = motion_dir / "mmpose-samples"
    source = MMPoseFiles(folder / "test_h36m_body3d.npz", folder / "test_h36m_2d_detection.npy", folder / "cameras.pkl")
    annotated = MMPoseFiles(folder / "test_h36m_body3d.npz")
    assert [r.name for r in source.recordings()] == ["S1_Directions_1", "S5_SittingDown", "S7_Greeting", "S8_WalkDog_1"]
    for recording in source.recordings():
        (detected,), (given,) = source.read(recording), annotated.read(recording)
        image = project(given.keypoints_3d.astype(float), given.intrinsics.astype(float))
        np.testing.assert_allclose(image, given.keypoints, atol=0.1)
        assert np.abs(detected.keypoints - given.keypoints).max() < 30 and detected.keypoint_scores.shape == (1, 17)
        world = camera_to_world(given.keypoints_3d, given.rotation, given.translation)[0]
        assert -0.1 < world[:, 2].min() < 0.3 and np.abs(world[:, :2]).max() < 3
        assert world[10, 2] > world[0, 2]  # the head is above the pelvis


def names(function):
    def edit(fields):
        fields["imgname"] = np.array([function(name) for name in fields["imgname"]])

    return edit


def poses(field, function):
    def edit(fields):
        fields[field] = function(fields[field])

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (
            names(lambda n: n.replace(".54138969", ".12345678")),
            "S1_Directions_1.12345678: camera '12345678' is none of",
        ),
        (names(lambda n: n.replace("S1", "S4")), "S4_Directions_1.54138969: subject 'S4' is none of"),
        (names(lambda n: n.replace("Directions", "Dancing")), "S1_Dancing_1.54138969: action 'Dancing_1' is none of"),
        (names(lambda n: n.replace("000003", "000009")), "S1_Directions_1.54138969: its images are not evenly spaced"),
        (names(lambda n: n.replace("000003", "000002")), "S1_Directions_1.54138969: its images are not evenly spaced"),
        (names(lambda n: "picture.jpg"), "field 'imgname', row 0: 'picture.jpg' does not say subject"),
        (lambda f: f.update(imgname=np.zeros(3)), "field 'imgname' is no list of names"),
        (lambda f: f.pop("S"), "field 'S' is missing; it has center, imgname, part, scale"),
        (poses("S", lambda s: s * 1000), "S1_Directions_1.54138969: a leg is .*divide by 1000"),
        (poses("S", lambda s: s * np.nan), "field 'S': holds NaN or infinity, first in frame 0"),
        (poses("S", lambda s: s[..., :3]), r"field 'S': is float64 of shape \(144, 17, 3\), not \(frames, 17, 4\)"),
        (poses("S", lambda s: s[1:]), "field 'S': has 143 rows for 144 images"),
        (poses("part", lambda s: s[1:]), "field 'part': has 143 rows for 144 images"),
        (poses("part", lambda s: s / 500 - 1), "S1_Directions_1.54138969: no value is above 3; this is normalised"),
    ],
)
def test_bad_input(mmpose_files, edit, message):
    path = mmpose_files(edit=edit)[0]
    with pytest.raises(ValueError, match=f"{path}: {message}"):
        source = MMPoseFiles(path)
        source.read(source.recordings()[0])


def test_bad_detections(tmp_path, mmpose_files):
    path, detections = mmpose_files()
    np.save(detections, np.load(detections)[:-1])
    with pytest.raises(ValueError, match=f"{detections}: has 143 rows for 144 images"):
        MMPoseFiles(path, detections)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda c: c.pop(("S1", "54138969")), "has no camera .'S1', '54138969'.; give the cameras.pkl of these files"),
        (lambda c: c["S1", "54138969"].pop("R"), "needs numbers R, T, f, c, k, p, w, h"),
        (lambda c: c["S1", "54138969"].update(T=np.full(3, np.nan)), "needs numbers"),
        (lambda c: c["S1", "54138969"].update(k=np.zeros(2)), "needs numbers"),
    ],
)
def test_bad_cameras(mmpose_files, cameras_file, edit, message):
    table = read_pickle(cameras_file)
    edit(table)
    cameras_file.write_bytes(pickle.dumps(table))
    source = MMPoseFiles(mmpose_files()[0], cameras_file=cameras_file)
    with pytest.raises(ValueError, match=f"S1_Directions_1.54138969: {cameras_file}.*{message}"):
        source.read(source.recordings()[0])
