from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.person_lifting import PersonLifting
from mpm_mmpose.lifting.stature import stature
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.lifting.trajectory import choose_camera
from mpm_mmpose.runtime import OnnxModel
from studies.quickstart.synthetic_motion import generate_motion


class TrueLifter:
    """Knows the 3D."""

    threshold = 0.3
    model = SimpleNamespace(ignored=())

    def __init__(self, poses):
        self.poses = poses

    def lift(self, track, progress=None):
        return Track3D(track, self.poses, "h36m_17", np.zeros(self.poses.shape[:2], bool))


@pytest.fixture(scope="module")
def filmed():
    (sequence,) = project_views(generate_motion("walking", 2, 10, 0), cameras=1)
    scores = np.ones(sequence.keypoints.shape[:2])
    size = sequence.width, sequence.height
    track = Track2D("1", np.arange(len(sequence)) / 10, sequence.keypoints, scores, "h36m_17", *size, 10.0)
    poses = sequence.keypoints_3d
    return TrueLifter(poses - poses[:, :1]), track, poses[:, 0], float(sequence.intrinsics[0])


def test_3d_alone(filmed):
    lifter, track, _, _ = filmed
    notes = []
    lifted = PersonLifting()(lifter, track, None, notes)
    assert lifted.trajectory is None and lifted.misfit is not None and not notes


def test_a_focal_length_asks_for_a_trajectory_and_is_used(filmed):
    lifter, track, root, focal = filmed
    notes = []
    near = PersonLifting(focal=focal)(lifter, track, None, notes)
    np.testing.assert_allclose(near.trajectory[:, 2], root[:, 2], rtol=0.05)
    far = PersonLifting(focal=2 * focal)(lifter, track, None, [])
    np.testing.assert_allclose(far.trajectory[:, 2], 2 * near.trajectory[:, 2], rtol=0.1)
    same = PersonLifting(focal_35mm=focal * 43.27 / np.hypot(track.width, track.height))(lifter, track, None, [])
    np.testing.assert_allclose(same.trajectory, near.trajectory, rtol=1e-3)
    assert any("(given)" in note for note in notes)


def test_a_taller_person_is_as_much_further_away(filmed):
    lifter, track, _, focal = filmed
    plain = PersonLifting(focal=focal)(lifter, track, None, [])
    height = 1.1 * stature(plain)
    taller = PersonLifting(focal=focal, person_height=height)(lifter, track, None, [])
    assert stature(taller) == pytest.approx(height, rel=1e-5)
    np.testing.assert_allclose(taller.trajectory, 1.1 * plain.trajectory, rtol=1e-3)


def test_sides_are_mended_before_lifting(filmed):
    lifter, track, _, _ = filmed
    notes = []
    wrong = track.keypoints.copy()
    wrong[8:10] = wrong[8:10][:, [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]]
    lifted = PersonLifting(mend_sides=True)(lifter, replace(track, keypoints=wrong), None, notes)
    if notes:  # seen from the side an exchange changes little
        assert "this is undone" in notes[0]
        np.testing.assert_array_equal(lifted.track.keypoints, track.keypoints)


def test_a_focal_length_is_for_the_rays_too():
    """With the model in the package, which sees rays."""
    (sequence,) = project_views(generate_motion("walking", 1, 30, 0), cameras=1)
    size = sequence.width, sequence.height
    scores = np.ones(sequence.keypoints.shape[:2])
    track = Track2D("1", np.arange(len(sequence)) / 30, sequence.keypoints, scores, "h36m_17", *size, 30.0)
    lifter, focal = TrackLifter(OnnxModel()), float(sequence.intrinsics[0])
    given = PersonLifting(focal=focal)(lifter, track, None, [])
    expected = lifter.lift(replace(track, intrinsics=choose_camera(track, focal).intrinsics))
    np.testing.assert_array_equal(given.keypoints_3d, expected.keypoints_3d)
    guessed = PersonLifting()(lifter, track, None, [])
    assert np.abs(guessed.keypoints_3d - given.keypoints_3d).max() > 1e-3
    in_35mm = PersonLifting(focal_35mm=focal * 43.27 / np.hypot(*size))(lifter, track, None, [])
    np.testing.assert_allclose(in_35mm.keypoints_3d, given.keypoints_3d, atol=1e-3)


def test_nobodys_height_is_refused_at_once():
    with pytest.raises(UsageError, match="the person's height is 180 m; give 0.4 to 2.8 m"):
        PersonLifting(person_height=180)


def test_a_raw_trajectory_is_one(filmed):
    lifter, track, _, _ = filmed
    assert PersonLifting(raw_trajectory=True)(lifter, track, None, []).trajectory is not None


def test_the_camera_that_was_given():
    assert PersonLifting().intrinsics(1920, 1080) is None
    np.testing.assert_array_equal(PersonLifting(focal=900).intrinsics(1600, 1200), [900, 900, 800, 600, 0, 0, 0, 0, 0])
