import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from window_batches import SEEDS, bones_of, range_in, stream, views_of

from mpm_mmpose.augmentation.bodies import body_proportions
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import COMMON_16, H36M_17


@settings(max_examples=40, deadline=None)
@given(
    seed=SEEDS,
    ranges=st.fixed_dictionaries({name: range_in(0.7, 1.3) for name in ("body", "limb", "bone")}),
    keypoint_set=st.sampled_from([H36M_17, COMMON_16]),
)
def test_other_bodies_move_alike(seed, ranges, keypoint_set):
    before = views_of(seed % 100, keypoint_set=keypoint_set)
    after = body_proportions(before, keypoint_set, generator=stream(seed), **ranges)
    assert torch.equal(after.keypoints_3d[:, :, 0], before.keypoints_3d[:, :, 0])
    torch.testing.assert_close(after.keypoints, project(after.keypoints_3d, before.intrinsics))
    (old, old_lengths), (new, new_lengths) = (bones_of(v.keypoints_3d, keypoint_set) for v in (before, after))
    # A bone of 1 cm has its direction to 1e-4 in float32 5 m away.
    error = (new - old).norm(dim=-1) * old_lengths
    assert error.max() < 1e-5
    factors = new_lengths / old_lengths
    sure = old_lengths > 0.2
    mean = (factors * sure).sum(1) / sure.sum(1)
    assert torch.where(sure, factors - mean[:, None], 0).abs().max() < 1e-4  # the same in every frame
    low, high = (torch.tensor([pair[end] for pair in ranges.values()]).prod() for end in (0, 1))
    assert (factors[sure] > low - 1e-4).all() and (factors[sure] < high + 1e-4).all()
    flip = [i - 1 for i in keypoint_set.flip_indices[1:]]
    both = (sure & sure[..., flip]).all(1)
    assert torch.where(both, mean - mean[:, flip], 0).abs().max() < 1e-4


def test_limbs_differ_and_bones_of_a_limb_do_not():
    before = views_of(3, size=50)
    _, old = bones_of(before.keypoints_3d)
    _, new = bones_of(body_proportions(before, H36M_17, generator=stream(), limb=(0.8, 1.2)).keypoints_3d)
    factors = (new / old)[:, 0]

    def of(*names):
        return factors[:, [H36M_17.index(name) - 1 for name in names]]

    legs = of("left_knee", "left_ankle", "right_knee", "right_ankle")
    arms = of("left_elbow", "left_wrist", "right_elbow", "right_wrist")
    trunk = of("spine", "thorax", "nose", "head_top", "left_hip", "right_shoulder")
    for limb in (legs, arms, trunk):
        assert (limb - limb[:, :1]).abs().max() < 1e-3
        assert limb[:, 0].min() < 0.85 and limb[:, 0].max() > 1.15
    assert torch.corrcoef(torch.stack([legs[:, 0], arms[:, 0], trunk[:, 0]]))[0, 1].abs() < 0.5
