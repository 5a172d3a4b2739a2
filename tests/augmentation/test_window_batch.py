import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mpm_mmpose.augmentation.window_batch import WindowBatch, mirror
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import H36M_17

FLIP = torch.tensor(H36M_17.flip_indices)


def views_of(seed, size=5, frames=3):
    generator = torch.Generator().manual_seed(seed)
    poses = torch.randn(size, frames, 17, 3, generator=generator) * 0.4 + torch.tensor([0.3, 0, 5])
    intrinsics = torch.tensor([2.29, 2.287, 0.025, 0.029, -0.207, 0.2475, -0.003, -0.0009, -0.0014]).repeat(size, 1)
    scores = torch.rand(size, frames, 17, generator=generator)
    down = torch.randn(size, 3, generator=generator)
    keypoints, aspect = project(poses, intrinsics), torch.rand(size, generator=generator)
    wrong = keypoints + 0.01 * torch.randn(keypoints.shape, generator=generator)
    return WindowBatch(
        wrong, poses, intrinsics, down, scores, scores < 0.3, aspect, keypoints, scores > 0.7, scores > 0.5
    )


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), flips=st.lists(st.booleans(), min_size=5, max_size=5))
def test_twice_mirrored_is_as_before_and_others_stay(seed, flips):
    before, flips = views_of(seed), torch.tensor(flips)
    after = mirror(before, flips, FLIP)
    again = mirror(after, flips, FLIP)
    for name in WindowBatch._fields:
        old, new = getattr(before, name), getattr(after, name)
        assert torch.equal(new[~flips], old[~flips]) and new.dtype == old.dtype
        changed = [not torch.equal(a, b) for a, b in zip(new[flips], old[flips], strict=True)]
        assert changed == [name != "aspect"] * int(flips.sum())
        assert torch.equal(old, getattr(again, name))
    # camera and poses still belong together
    torch.testing.assert_close(project(after.keypoints_3d, after.intrinsics), after.true_keypoints)


def test_left_becomes_right():
    before = views_of(1)
    after = mirror(before, torch.ones(5, dtype=torch.bool), FLIP)
    left, right = H36M_17.index("left_wrist"), H36M_17.index("right_wrist")
    for name in ("scores", "missed", "unknown", "unknown_3d"):
        assert torch.equal(getattr(after, name)[..., left], getattr(before, name)[..., right])
    for name in ("keypoints", "true_keypoints", "keypoints_3d"):
        new, old = getattr(after, name)[..., left, :], getattr(before, name)[..., right, :]
        assert torch.equal(new[..., 0], -old[..., 0]) and torch.equal(new[..., 1:], old[..., 1:])
    assert torch.equal(after.down, before.down * torch.tensor([-1.0, 1, 1]))


def test_what_is_not_known_stays_unknown():
    windows = WindowBatch(keypoints=views_of(1).keypoints)
    after = mirror(windows, torch.ones(5, dtype=torch.bool), FLIP)
    assert [name for name, value in after._asdict().items() if value is not None] == ["keypoints"]


def test_what_is_mirrored_stays_as_it_is_itself():
    before, kept = views_of(2), views_of(2)
    mirror(before, torch.ones(5, dtype=torch.bool), FLIP)
    assert all(torch.equal(old, still) for old, still in zip(kept, before, strict=True))
