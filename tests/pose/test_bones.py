import numpy as np
from bone_lengths import bone_variation

from mpm_mmpose.pose.bones import constant_bones, measure_bones
from mpm_mmpose.pose.keypoints import H36M_17


def poses(frames=30, seed=0):
    """Random bones that are as long at both sides; root at 0."""
    random = np.random.default_rng(seed)
    lengths = random.uniform(0.1, 0.5, 17)
    lengths = (lengths + lengths[list(H36M_17.flip_indices)]) / 2
    directions = random.normal(size=(frames, 17, 3))
    directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
    found = np.zeros((frames, 17, 3))
    for index in H36M_17.outwards[1:]:
        found[:, index] = found[:, H36M_17.parents[index]] + lengths[index] * directions[:, index]
    return found, lengths


def test_constant_bones_of_a_real_skeleton_change_nothing():
    found, lengths = poses()
    measured, _, known = measure_bones(H36M_17, found)
    np.testing.assert_allclose(measured[1:], lengths[1:], atol=1e-9)
    assert known[:, 1:].all()
    np.testing.assert_allclose(constant_bones(H36M_17, found), found, atol=1e-9)
    assert bone_variation(H36M_17, found) < 1e-9


def test_bones_that_stretch_are_made_one_length():
    found, lengths = poses()
    random = np.random.default_rng(1)
    stretched = found * random.uniform(0.8, 1.2, (30, 1, 1))
    assert bone_variation(H36M_17, stretched) > 0.05
    fixed = constant_bones(H36M_17, stretched.astype(np.float32))
    assert bone_variation(H36M_17, fixed) < 1e-6
    np.testing.assert_allclose(
        measure_bones(H36M_17, fixed)[0][1:],
        np.median(np.linalg.norm(stretched[:, 1:] - stretched[:, list(H36M_17.parents[1:])], axis=-1), axis=0),
        rtol=1e-5,
    )


def test_frames_without_a_person_stay_so():
    found, _ = poses()
    found[3] = np.nan
    fixed = constant_bones(H36M_17, found)
    assert np.isnan(fixed[3]).all() and np.isfinite(np.delete(fixed, 3, 0)).all()
    assert np.isnan(constant_bones(H36M_17, found[3:4])).all()
