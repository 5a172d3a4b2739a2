import numpy as np
import pytest
from cameras import camera_extrinsics

from mpm_mmpose.pose.geometry import denormalize_screen, project, world_to_camera
from mpm_mmpose.readers.h36m import ACTIONS, SKIP_LISTS, TEST_SUBJECTS, TRAIN_SUBJECTS, H36MRecording, cameras


def test_cameras_are_the_reference_s(reference_dir):
    """S1 and S9 of VideoPose3D's own tables: places, lenses, and where they see points."""
    reference = np.load(reference_dir / "refine.npz")
    points = reference["camera/world_xyz_m"].astype(np.float64)
    for subject in ("S1", "S9"):
        for index, camera in enumerate(cameras(subject)):
            fields = {
                name: reference[f"camera/{subject}_cam{index}/{name}"] for name in ("orientation_wxyz", "translation_m")
            }
            rotation, translation = camera_extrinsics(*(value.astype(np.float64) for value in fields.values()))
            np.testing.assert_allclose(camera.rotation, rotation, atol=2e-7)
            np.testing.assert_allclose(camera.translation, translation, atol=2e-6)
            seen = world_to_camera(points, camera.rotation, camera.translation)
            np.testing.assert_allclose(seen, reference[f"camera/{subject}_cam{index}/camera_xyz_m"], atol=3e-6)
            normalised = reference[f"camera/{subject}_cam{index}/project_to_2d"]
            image = denormalize_screen(normalised.astype(np.float64), camera.width, camera.height)
            np.testing.assert_allclose(project(seen, camera.intrinsics), image, atol=2e-3)


def test_cameras_of_all_subjects_are_cameras_of_one_room():
    for subject in (*TRAIN_SUBJECTS, *TEST_SUBJECTS):
        views = cameras(subject)
        assert [camera.name for camera in views] == ["54138969", "55011271", "58860488", "60457274"]
        assert [(camera.width, camera.height) for camera in views] == [
            (1000, 1002),
            (1000, 1000),
            (1000, 1000),
            (1000, 1002),
        ]
        for camera in views:
            np.testing.assert_allclose(camera.rotation @ camera.rotation.T, np.eye(3), atol=1e-9)
            assert np.linalg.det(camera.rotation) == pytest.approx(1, abs=1e-9)
            position = -camera.rotation.T @ camera.translation
            assert 1.4 < position[2] < 1.7 and 3.5 < np.hypot(*position[:2]) < 6
            # A person in the middle of the room is in the image.
            image = project(
                world_to_camera(np.array([0.0, 0.0, 1.0]), camera.rotation, camera.translation), camera.intrinsics
            )
            assert (image > 250).all() and (image < 750).all()


def test_cameras_of_mmpose_are_the_same(motion_dir):
    from mpm_mmpose.readers.archives import read_pickle

    published = read_pickle(motion_dir / "mmpose-samples/cameras.pkl")
    for subject in (*TRAIN_SUBJECTS, *TEST_SUBJECTS):
        for camera in cameras(subject):
            entry = published[subject, camera.name]
            np.testing.assert_allclose(camera.rotation, entry["R"].T, atol=1e-9)
            np.testing.assert_allclose(-camera.rotation.T @ camera.translation, entry["T"][:, 0], atol=1e-8)
            lens = np.concatenate([entry["f"], entry["c"], entry["k"], entry["p"][::-1]])[:, 0]
            np.testing.assert_allclose(camera.intrinsics, lens, rtol=1e-8)


def test_unknown_subject_and_action():
    with pytest.raises(ValueError, match="subject 'S4' is none of Human3.6M's S1, S5, .*leave it out"):
        cameras("S4")
    with pytest.raises(ValueError, match="action 'Dancing 1' is none of Directions, "):
        _ = H36MRecording("S1", "Dancing 1").action


@pytest.mark.parametrize(
    ("take", "action", "name"),
    [
        ("Walking", "Walking", "S9_Walking"),
        ("Walking 1", "Walking", "S9_Walking_1"),
        ("SittingDown 2", "SittingDown", "S9_SittingDown_2"),
        ("WalkingDog 1", "WalkDog", "S9_WalkingDog_1"),
        ("TakingPhoto", "Photo", "S9_TakingPhoto"),
        ("Waiting_1", "Waiting", "S9_Waiting_1"),
    ],
)
def test_recordings(take, action, name):
    recording = H36MRecording("S9", take)
    assert (recording.action, recording.name) == (action, name) and action in ACTIONS


def test_skip_list_is_mmpose_s():
    """Its configs list the same recordings, two of them also under names that do not occur."""
    import mmpose
    from mmengine.config import Config

    folder = f"{mmpose.__path__[0]}/.mim/configs/body_3d_keypoint/motionbert/h36m"
    theirs = Config.fromfile(f"{folder}/motionbert_dstformer-243frm_8xb32-240e_h36m.py").skip_list
    assert set(theirs) - {"S9_Greet", "S9_Wait_1"} == set(SKIP_LISTS["mmpose"])
    assert len(ACTIONS) == 15
