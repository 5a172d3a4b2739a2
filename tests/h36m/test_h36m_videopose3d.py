import numpy as np
import pytest

from mpm_mmpose.pose.geometry import camera_to_world, project
from mpm_mmpose.readers.h36m import H36MRecording, cameras
from mpm_mmpose.readers.h36m_videopose3d import VideoPose3DFiles


def test_recordings(videopose3d, takes):
    source = VideoPose3DFiles(*videopose3d())
    assert source.recordings() == [H36MRecording(subject, take) for subject, names in takes.items() for take in names]


def test_values(videopose3d, motions):
    source = VideoPose3DFiles(*videopose3d())
    for recording in source.recordings():
        world = motions[recording.subject, recording.take]
        sequences = source.read(recording)
        for index, (sequence, camera) in enumerate(zip(sequences, cameras(recording.subject), strict=True)):
            assert sequence.name == f"{recording.name}.{camera.name}" and sequence.camera == camera.name
            assert sequence.subject == recording.subject and sequence.action == recording.take.split(" ")[0]
            assert (sequence.width, sequence.height) == (camera.width, camera.height) and sequence.fps == 50
            assert sequence.keypoint_set == "h36m_17" and sequence.source == "data_3d_h36m.npz"
            # Metres in camera space, in the order of the 17: back in the world they are what was written.
            back = camera_to_world(sequence.keypoints_3d, sequence.rotation, sequence.translation)
            np.testing.assert_allclose(back, world, atol=2e-6)
            # The stored 2D is the projection, moved as it was written, and cut to the 3D's length.
            image = project(sequence.keypoints_3d.astype(float), camera.intrinsics) + (index, 0.5)
            assert sequence.keypoints.shape == (len(world), 17, 2)
            np.testing.assert_allclose(sequence.keypoints, image, atol=1e-3)
            np.testing.assert_allclose(sequence.intrinsics, camera.intrinsics, rtol=1e-6)


def test_without_2d_it_is_projected(videopose3d):
    path_3d, path_2d = videopose3d()
    projected, detected = VideoPose3DFiles(path_3d), VideoPose3DFiles(path_3d, path_2d)
    for recording in projected.recordings():
        for index, (ours, theirs) in enumerate(zip(projected.read(recording), detected.read(recording), strict=True)):
            np.testing.assert_allclose(ours.keypoints + np.float32([index, 0.5]), theirs.keypoints, atol=1e-3)
            np.testing.assert_array_equal(ours.keypoints_3d, theirs.keypoints_3d)


def change(subject, take, function):
    def edit(table):
        table[subject][take] = function(table[subject][take])

    return edit


def with_nan(array):
    array = array.copy()
    array[2, 5, 0] = np.nan
    return array


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (change("S1", "Walking", lambda a: a * 1000), "a leg is .* long, .*these are millimetres: divide by 1000"),
        (change("S1", "Walking", lambda a: a * 20), "a leg is .* long, .*metres are expected"),
        (change("S1", "Walking", with_nan), "holds NaN or infinity, first in frame 2; repair or leave it out"),
        (change("S1", "Walking", lambda a: a * np.inf), "holds NaN or infinity, first in frame 0"),
        (change("S1", "Walking", lambda a: a[:0]), "has no frames"),
        (change("S1", "Walking", lambda a: a[:, :17]), r"is float32 of shape \(7, 17, 3\), not \(frames, 32, 3\)"),
        (change("S1", "Walking", lambda a: a.astype(int)), "is int64 of shape"),
        (change("S1", "Walking", lambda a: "text"), r"is str of shape \(\)"),
        (change("S1", "Walking", lambda a: a + np.float32([20, 0, 0])), "is partly behind camera"),
    ],
)
def test_bad_3d(videopose3d, edit, message):
    paths = videopose3d(edit_3d=edit)
    with pytest.raises(ValueError, match=f"{paths[0]}: positions_3d of S1 Walking: {message}"):
        VideoPose3DFiles(*paths).read(H36MRecording("S1", "Walking"))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda t: t.pop("S1"), ": is missing; give the file that belongs to data_3d_h36m.npz"),
        (lambda t: t["S1"].pop("Walking"), ": is missing"),
        (change("S1", "Walking", lambda v: v[:3]), ": has 3 cameras, Human3.6M has 4"),
        (change("S1", "Walking", lambda v: None), ": has no list of cameras"),
        (change("S1", "Walking", lambda v: [*v[:3], v[3][:6]]), ", camera 60457274: has 6 frames, the 3D has 7;"),
        (change("S1", "Walking", lambda v: [with_nan(v[0]), *v[1:]]), ", camera 54138969: holds NaN or infinity"),
        (change("S1", "Walking", lambda v: [a / 500 - 1 for a in v]), ", camera 54138969: .* normalised, image px"),
        (
            change("S1", "Walking", lambda v: [a[:, :16] for a in v]),
            r", camera 54138969: is float32 of shape \(9, 16, 2\)",
        ),
    ],
)
def test_bad_2d(videopose3d, edit, message):
    paths = videopose3d(edit_2d=edit)
    with pytest.raises(ValueError, match=f"{paths[1]}: positions_2d of S1 Walking{message}"):
        VideoPose3DFiles(*paths).read(H36MRecording("S1", "Walking"))


def test_2d_of_the_same_length(videopose3d):
    source = VideoPose3DFiles(*videopose3d(extra=0))
    assert all(len(sequence) == 7 for sequence in source.read(H36MRecording("S1", "Walking")))


def test_unknown_subject_and_action(videopose3d):
    def edit(table):
        table["S4"] = table["S1"]
        table["S9"]["Dancing 1"] = table["S9"]["Greeting"]

    source = VideoPose3DFiles(videopose3d(edit_3d=edit)[0])
    with pytest.raises(ValueError, match="positions_3d of S4 Walking: subject 'S4' is none of Human3.6M's"):
        source.read(H36MRecording("S4", "Walking"))
    with pytest.raises(ValueError, match="positions_3d of S9 Dancing 1: action 'Dancing 1' is none of"):
        source.read(H36MRecording("S9", "Dancing 1"))


def test_coco_detections_are_refused(videopose3d):
    """VideoPose3D also publishes 2D with 17 COCO keypoints, whose shapes are the same."""
    paths = videopose3d(symmetry=[[1, 3, 5, 7, 9, 11, 13, 15], [2, 4, 6, 8, 10, 12, 14, 16]])
    with pytest.raises(ValueError, match="cpn_ft_h36m_dbb.npz: field 'metadata': left and right .*give detections in"):
        VideoPose3DFiles(*paths)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (dict(positions_2d={}), "field 'positions_3d' is missing; it has positions_2d"),
        (dict(positions_3d=np.zeros(3)), "field 'positions_3d' is no table of subjects and actions"),
        (dict(positions_3d={"S1": 3}), "field 'positions_3d' is no table of subjects and actions"),
        (dict(positions_3d={"S1": {}}), "field 'positions_3d' holds no recordings"),
    ],
)
def test_other_files(tmp_path, fields, message):
    np.savez(tmp_path / "x.npz", **fields)
    with pytest.raises(ValueError, match=f"x.npz: {message}"):
        VideoPose3DFiles(tmp_path / "x.npz")


def test_metadata_is_needed(tmp_path, videopose3d):
    path = videopose3d()[0]
    np.savez(tmp_path / "x.npz", positions_2d={"S1": {"Walking": []}}, metadata={})
    with pytest.raises(
        ValueError, match="x.npz: field 'metadata' has no 'keypoints_symmetry'; give VideoPose3D's file"
    ):
        VideoPose3DFiles(path, tmp_path / "x.npz")
