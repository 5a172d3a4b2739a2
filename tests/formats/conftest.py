"""Scenes of people who stand, walk on the spot, or are anywhere."""

import numpy as np
import pytest

from mpm_mmpose.formats import LiftedPerson, Scene
from mpm_mmpose.pose.keypoints import get_keypoint_set

#: m, camera axes (y down), of a person who looks at the camera: the camera's right is their left.
STANDING = {
    "pelvis": (0, 0, 0),
    "right_hip": (-0.12, 0, 0),
    "right_knee": (-0.12, 0.42, 0),
    "right_ankle": (-0.12, 0.86, 0),
    "left_hip": (0.12, 0, 0),
    "left_knee": (0.12, 0.42, 0),
    "left_ankle": (0.12, 0.86, 0),
    "spine": (0, -0.24, 0),
    "thorax": (0, -0.5, 0),
    "nose": (0, -0.6, 0),
    "head": (0, -0.62, 0),
    "head_top": (0, -0.72, 0),
    "left_shoulder": (0.16, -0.48, 0),
    "left_elbow": (0.16, -0.2, 0),
    "left_wrist": (0.16, 0.05, 0),
    "right_shoulder": (-0.16, -0.48, 0),
    "right_elbow": (-0.16, -0.2, 0),
    "right_wrist": (-0.16, 0.05, 0),
}


def standing(keypoint_set="h36m_17"):
    return np.array([STANDING[name] for name in get_keypoint_set(keypoint_set).names], float)


def moving(frames, keypoint_set="h36m_17", seed=0):
    """(N, K, 3): a person who stands, each keypoint on a smooth way of its own around its place, bones not fixed."""
    rng = np.random.default_rng(seed)
    pose = standing(keypoint_set)
    phases, rates = rng.uniform(0, 6, (2, *pose.shape))
    ways = 0.08 * np.sin(phases + rates * np.arange(frames)[:, None, None] / 30)
    poses = pose + ways
    return poses - poses[:, :1] if keypoint_set == "h36m_17" else poses


def forward(skeleton, lengths, local):
    """Keypoints (N, K, 3) m from the root, by way of the joints' rotations, as a program that reads BVH does."""
    offsets = skeleton.offsets(lengths)
    places, turned = np.zeros((len(local), len(skeleton.joints), 3)), local.copy()
    keypoints = np.empty((len(local), len(skeleton.keypoints), 3))
    for index, joint in enumerate(skeleton.joints):
        if index:
            turned[:, index] = turned[:, joint.parent] @ local[:, index]
            places[:, index] = places[:, joint.parent] + turned[:, joint.parent] @ offsets[index]
        keypoints[:, joint.keypoint] = places[:, index]
    return keypoints


def scene_of_poses(*people, fps=30.0, name="walk", **fields):
    """A scene of people (N, K, 3) that are all there from frame 0; fields: of every LiftedPerson."""
    there = [
        LiftedPerson(str(number), fields.pop("keypoint_set", "h36m_17"), np.arange(len(poses)), poses, **fields)
        for number, poses in enumerate(people, 1)
    ]
    return Scene(name, there, np.arange(max(map(len, people))) / fps, fps)


@pytest.fixture
def walk():
    """Two people: one in frames 0 to 9 with a trajectory, another in frames 3, 4, 7 with a gap, without a pose in 4."""
    poses = moving(10)
    other = moving(3, seed=1)
    other[1] = np.nan
    trajectory = np.stack((np.linspace(0, 1, 10), np.full(10, 0.3), np.full(10, 4.0)), axis=1)
    rng = np.random.default_rng(2)
    people = [
        LiftedPerson("1", "h36m_17", np.arange(10), poses, trajectory=trajectory, masked=np.zeros((10, 17), bool)),
        LiftedPerson("b/2", "h36m_17", np.array([3, 4, 7]), other),
    ]
    people = [
        LiftedPerson(
            **vars(person)
            | dict(
                keypoints_2d=rng.uniform(0, 100, (len(person.frames), 17, 2)),
                scores_2d=np.ones((len(person.frames), 17)),
                keypoint_set_2d="coco_17",
            )
        )
        for person in people
    ]
    return Scene("walk", people, np.arange(12) / 25, 25.0, 100, 120, notes=["a note"])
