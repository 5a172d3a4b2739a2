"""The body model itself may not be shared; its joints turn as smplx turns them, about places that are given here."""

import numpy as np
import pytest
import torch
from smplx.lbs import batch_rigid_transform, batch_rodrigues

from mpm_mmpose.formats import write_scene
from mpm_mmpose.formats.motion import motions_of
from mpm_mmpose.formats.smpl import NAMES, PLACES, UNDETERMINED, rig
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.pose.rotations import unit

from .conftest import moving, scene_of_poses


def posed(arrays):
    """(N, 24, 3) m, where smplx puts the joints of a body with our places at rest."""
    poses = torch.tensor(arrays["poses"], dtype=torch.float64)
    turns = batch_rodrigues(poses.reshape(-1, 3)).view(len(poses), 24, 3, 3)
    places = torch.tensor(PLACES).expand(len(poses), -1, -1)
    joints, _ = batch_rigid_transform(turns, places, torch.tensor(rig().parents), dtype=torch.float64)
    return joints.numpy() + arrays["trans"][:, None]


@pytest.fixture
def written(tmp_path):
    scene = scene_of_poses(moving(20), fps=25.0)
    path = tmp_path / "walk.smpl.npz"
    notes = write_scene(path, scene).notes
    (motion,), _ = motions_of(path, scene, ".smpl.npz")
    with np.load(path, allow_pickle=False) as file:
        return dict(file), motion, notes


def test_limbs_point_where_the_pose_has_them(written):
    arrays, motion, _ = written
    joints = posed(arrays)
    pose = motion.fitted.positions
    for side in ("left", "right"):
        for start, end in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
            theirs = joints[:, NAMES.index(f"{side}_{end}")] - joints[:, NAMES.index(f"{side}_{start}")]
            ours = pose[:, H36M_17.index(f"{side}_{end}")] - pose[:, H36M_17.index(f"{side}_{start}")]
            np.testing.assert_allclose(unit(theirs), unit(ours), atol=1e-4)
    across = joints[:, NAMES.index("left_hip")] - joints[:, NAMES.index("right_hip")]
    ours = pose[:, H36M_17.index("left_hip")] - pose[:, H36M_17.index("right_hip")]
    np.testing.assert_allclose(unit(across), unit(ours), atol=1e-4)


def test_the_file_is_as_those_of_amass(written):
    arrays, motion, notes = written
    assert arrays["poses"].shape == (20, 72) and arrays["betas"].shape == (10,)
    assert str(arrays["gender"]) == "neutral" and float(arrays["mocap_framerate"]) == 25
    np.testing.assert_allclose(posed(arrays)[:, 0], motion.root, atol=1e-5)
    np.testing.assert_allclose(arrays["root"], motion.root, atol=1e-6)
    assert any("feet, hands" in note for note in notes)


def test_what_is_not_determined_stays_as_at_rest(written):
    arrays, _, _ = written
    turned = np.linalg.norm(arrays["poses"].reshape(20, 24, 3), axis=-1).max(0)
    assert {name for name, angle in zip(NAMES, turned, strict=True) if angle < 1e-6} == set(UNDETERMINED)
    assert set(arrays["undetermined"].tolist()) == set(UNDETERMINED)


def test_nobody_lies_on_their_back(written):
    joints = posed(written[0])
    height = joints[..., 1]
    assert (height[:, NAMES.index("head")] > height[:, NAMES.index("pelvis")] + 0.3).all()
    assert (height[:, NAMES.index("left_foot")] < height[:, NAMES.index("left_knee")]).all()
    ahead = joints[:, NAMES.index("left_foot")] - joints[:, NAMES.index("left_ankle")]
    assert np.median(ahead[:, 2]) > 0.05
