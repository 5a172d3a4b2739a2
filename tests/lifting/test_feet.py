from dataclasses import replace

import numpy as np
import pytest

from mpm_mmpose.lifting.feet import find_contacts, lock_feet
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.pose.keypoints import H36M_17

FPS, FOCAL, SIZE = 30.0, 1000.0, (1000, 800)
ANKLES = [H36M_17.index("left_ankle"), H36M_17.index("right_ankle")]
POSE = {
    "pelvis": (0, 0, 0),
    "spine": (0, -0.25, 0),
    "thorax": (0, -0.5, 0),
    "nose": (0, -0.6, -0.1),
    "head_top": (0, -0.75, 0),
}
for _side, _x in (("left", 1), ("right", -1)):
    POSE |= {
        f"{_side}_{part}": (_x * x, y, z)
        for part, (x, y, z) in dict(
            hip=(0.12, 0.02, 0),
            knee=(0.13, 0.45, -0.05),
            ankle=(0.12, 0.87, 0.02),
            shoulder=(0.18, -0.48, 0),
            elbow=(0.22, -0.2, 0),
            wrist=(0.24, 0.05, -0.05),
        ).items()
    }


def walker(frames=60, shake=0.0, seed=0):
    """Somebody who stands on both feet, then goes aside with the right one, of which every second step moves."""
    rng = np.random.default_rng(seed)
    pose = np.array([POSE[name] for name in H36M_17.names], float)
    root = np.tile((0.0, 0.0, 4.0), (frames, 1))
    poses = np.tile(pose, (frames, 1, 1))
    step = np.clip((np.arange(frames) - 20) / 15, 0, 1)[:, None] * (-0.4, 0, 0)  # in frames 20 to 35
    root += step / 2
    places = poses + root[:, None]
    right, left = ([H36M_17.index(f"{side}_{part}") for part in ("knee", "ankle")] for side in ("right", "left"))
    places[:, right[1]] = places[0, right[1]] + step
    places[:, left[1]] = places[0, left[1]]
    for knee, ankle, hip in ((right[0], right[1], "right_hip"), (left[0], left[1], "left_hip")):
        places[:, knee] = (places[:, H36M_17.index(hip)] + places[:, ankle]) / 2 - (0, 0, 0.1)
    seen = FOCAL * places[..., :2] / places[..., 2:] + np.array(SIZE) / 2
    track = Track2D("1", np.arange(frames) / FPS, seen, np.ones(seen.shape[:2]), "h36m_17", *SIZE, FPS)
    noise = np.cumsum(rng.normal(size=(frames, 3)), axis=0) * shake
    return (
        places,
        Track3D(
            track,
            (places - root[:, None]).astype(np.float32),
            "h36m_17",
            np.zeros((frames, 17), bool),
            trajectory=(root + noise).astype(np.float32),
        ),
    )


def ankles(lifted):
    return (lifted.keypoints_3d + lifted.trajectory[:, None])[:, ANKLES]


def bones(lifted):
    poses = lifted.keypoints_3d
    pairs = [(child, parent) for child, parent in enumerate(H36M_17.parents) if parent >= 0]
    return np.stack([np.linalg.norm(poses[:, child] - poses[:, parent], axis=-1) for child, parent in pairs], 1)


def test_feet_that_stand_are_found():
    _, lifted = walker()
    left, right = find_contacts(lifted).T
    assert left.all()
    moves = np.flatnonzero(~right)
    assert moves.min() in (19, 20, 21) and moves.max() in (34, 35, 36) and len(moves) == np.ptp(moves) + 1


def test_a_raised_foot_that_hangs_still_does_not_stand():
    places, lifted = walker()
    poses = lifted.keypoints_3d.copy()
    right = ANKLES[1]
    poses[:, right] += np.float32([0, -0.4, 0.3])
    raised = poses[:, right] + lifted.trajectory
    keypoints = lifted.track.keypoints.copy()
    keypoints[:, right] = FOCAL * raised[:, :2] / raised[:, 2:] + np.array(SIZE) / 2
    left, hanging = find_contacts(
        replace(lifted, track=replace(lifted.track, keypoints=keypoints), keypoints_3d=poses)
    ).T
    assert left.all() and not hanging.any()


def test_locked_feet_stay_and_bones_keep_their_lengths():
    _, lifted = walker(shake=0.004)
    notes = []
    locked = lock_feet(lifted, notes)
    left, right = ankles(locked)[:, 0], ankles(locked)[:, 1]
    assert np.ptp(ankles(lifted)[:, 0], axis=0).max() > 0.02
    np.testing.assert_allclose(left, left[[0]].repeat(60, 0), atol=1e-4)
    for rows in (slice(0, 18), slice(38, 60)):
        np.testing.assert_allclose(right[rows], np.tile(right[rows][0], (len(right[rows]), 1)), atol=1e-4)
    np.testing.assert_allclose(bones(locked), bones(lifted), atol=1e-4)
    assert notes == [
        "person 1: feet are locked where they stand: the left in 60, the right in "
        f"{find_contacts(lifted)[:, 1].sum()} of 60 frames"
    ]


def test_nothing_jumps_where_feet_are_let_go():
    _, lifted = walker(shake=0.01)
    locked = lock_feet(lifted, [])
    for before, after in ((ankles(lifted), ankles(locked)), (lifted.trajectory, locked.trajectory)):
        step = np.linalg.norm(np.diff(after, axis=0), axis=-1).max()
        assert step < np.linalg.norm(np.diff(before, axis=0), axis=-1).max() + 0.02


def test_what_is_locked_already_stays():
    _, lifted = walker()
    locked = lock_feet(lifted, [])
    np.testing.assert_allclose(locked.keypoints_3d, lifted.keypoints_3d, atol=2e-3)
    np.testing.assert_allclose(locked.trajectory, lifted.trajectory, atol=2e-3)


def test_feet_that_are_not_seen_or_never_stand():
    _, lifted = walker()
    masked = lifted.masked.copy()
    masked[:, ANKLES] = True
    unseen = Track3D(**vars(lifted) | dict(masked=masked))
    assert not find_contacts(unseen).any()
    notes = []
    assert lock_feet(unseen, notes) is unseen and notes == ["person 1: no foot stands still; nothing was locked"]
    poses = lifted.keypoints_3d.copy()
    poses[5:9] = np.nan
    gap = Track3D(**vars(lifted) | dict(keypoints_3d=poses))
    assert not find_contacts(gap)[5:9].any()
    locked = lock_feet(gap, [])
    assert (
        np.isnan(locked.keypoints_3d[5:9]).all() and np.isfinite(np.delete(locked.keypoints_3d, range(5, 9), 0)).all()
    )


def test_a_single_frame():
    _, lifted = walker(frames=1)
    assert not find_contacts(lifted).any()


def test_what_it_needs():
    _, lifted = walker(frames=5)
    with pytest.raises(ValueError, match="person 1: .*need a trajectory"):
        lock_feet(Track3D(**vars(lifted) | dict(trajectory=None)), [])
    with pytest.raises(ValueError, match="has no left_hip"):
        find_contacts(Track3D(**vars(lifted) | dict(keypoint_set="custom:pelvis,thorax,head_top")))


def test_the_root_settles_from_one_foot_to_the_other():
    """Left stands alone, then right alone, and the trajectory has drifted by 0.3 m in between."""
    _, lifted = walker(frames=90)
    left, right = ANKLES
    drift = np.linspace(0, 0.3, 90)[:, None] * (0, 0, 1)
    keypoints = lifted.track.keypoints.copy()
    away = 20 * np.arange(90)[:, None] * (1.0, 0)
    keypoints[:45, right] += away[:45]
    keypoints[50:, left] += away[:40]
    drifted = replace(
        lifted,
        track=replace(lifted.track, keypoints=keypoints),
        trajectory=(lifted.trajectory + drift).astype(np.float32),
    )
    locked = lock_feet(drifted, [])
    speed = np.linalg.norm(np.diff(locked.trajectory, axis=0), axis=-1) * FPS
    assert speed.max() < 1.6
