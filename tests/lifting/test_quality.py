from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.lifting.quality import check_quality, describe_masked
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.pose.consistency import LIMIT
from mpm_mmpose.pose.keypoints import H36M_17
from studies.quickstart.synthetic_motion import generate_motion


@pytest.fixture(scope="module")
def lifted():
    """True 3D of somebody who is seen by a camera."""
    (sequence,) = project_views(generate_motion("mixed", 4, 10, 0), cameras=1)
    times = np.arange(len(sequence)) / 10
    scores = np.ones(sequence.keypoints.shape[:2])
    track = Track2D("7", times, sequence.keypoints, scores, "h36m_17", sequence.width, sequence.height, 10.0)
    poses = sequence.keypoints_3d - sequence.keypoints_3d[:, :1]
    return Track3D(track, poses, "h36m_17", np.zeros(poses.shape[:2], bool))


def test_right_3d_has_a_small_misfit_in_every_frame_and_no_note(lifted):
    notes = []
    checked = check_quality(lifted, 0.3, notes)
    assert checked.misfit.shape == (len(lifted),) and checked.misfit.max() < 0.25 and not notes


def test_3d_that_is_not_of_the_2d_is_said(lifted):
    notes = []
    wrong = replace(lifted, keypoints_3d=lifted.keypoints_3d[:, np.random.default_rng(0).permutation(17)])
    assert np.median(check_quality(wrong, 0.3, notes).misfit) > LIMIT
    (note,) = notes
    assert note.startswith("person 7: the 3D hardly fits the 2D that it came from (misfit ")


def test_2d_that_is_no_person_is_said_with_its_cause(lifted):
    notes = []
    track = replace(lifted.track, keypoints=(lifted.track.width, lifted.track.height) - lifted.track.keypoints)
    check_quality(replace(lifted, track=track), 0.3, notes)
    (note,) = notes
    assert note.startswith("person 7: its keypoints hardly look like an upright person's (misfit 0.")
    assert note.endswith("they look like a person upside down: turn the video, or let y count downwards")


def test_what_was_masked_is_named(lifted):
    masked = np.zeros(lifted.masked.shape, bool)
    masked[:, [H36M_17.index(f"left_{part}") for part in ("hip", "knee", "ankle")]] = True
    masked[:, H36M_17.index("head_top")] = True
    masked[:10, H36M_17.index("right_wrist")] = True
    masked[0, H36M_17.index("nose")] = True  # one frame of 40 is not worth a word
    assert describe_masked(replace(lifted, masked=masked)) == (
        "left leg never seen; head top never seen; right wrist masked in 10 (of 40 frames; the 3D there is the model's "
        "guess)"
    )
    assert describe_masked(lifted) == ""


def test_keypoints_that_the_detector_does_not_have_are_not_spoken_of(lifted):
    masked = np.zeros_like(lifted.masked)
    masked[:, [H36M_17.index(name) for name in ("spine", "thorax", "head_top")]] = True
    number = len(lifted)
    blazepose = replace(
        lifted.track, keypoints=np.zeros((number, 33, 2)), scores=np.ones((number, 33)), keypoint_set="blazepose_33"
    )
    assert describe_masked(replace(lifted, track=blazepose, masked=masked)) == ""
    assert describe_masked(replace(lifted, masked=masked)).startswith("spine, thorax, head top never seen")


def test_what_the_model_never_looks_at_is_no_note(lifted):
    masked = np.zeros_like(lifted.masked)
    masked[:, [0, 9]] = True
    assert describe_masked(replace(lifted, masked=masked)).startswith("pelvis, nose never seen")
    assert describe_masked(replace(lifted, masked=masked, ignored=(0, 9))) == ""
