import pytest
import torch

from mpm_mmpose.augmentation.surrounding_camera import FOCAL, guessed_focal, surrounding_camera
from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.pose.geometry import to_rays
from mpm_mmpose.pose.keypoints import H36M_17

MANY = 2000


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def standing(number=MANY, frames=3):
    """A person 1.6 m tall that stands and faces the camera: windows in camera space, down known."""
    height = torch.linspace(0, 1.6, 17)
    pose = torch.stack([0.2 * torch.sin(5 * height), 0.8 - height, 0.05 * torch.cos(3 * height)], -1)
    pose = pose - pose[0]
    poses = (pose + torch.tensor([0.0, 0.0, 5.0])).expand(number, frames, 17, 3)
    return WindowBatch(keypoints_3d=poses, down=torch.tensor([0.0, 1.0, 0.0]).expand(number, 3))


def up_of(windows):
    """Unit vectors (B, 3) from the first keypoint to the last: up along the body."""
    trunk = windows.keypoints_3d[:, 1, 16] - windows.keypoints_3d[:, 1, 0]
    return trunk / trunk.norm(dim=-1, keepdim=True)


def test_poses_are_turned_and_moved_only():
    before = standing(50)
    after = surrounding_camera(before, H36M_17, generator=draw())
    for windows in (before, after):
        assert windows.keypoints_3d.shape == (50, 3, 17, 3)
    a, b = (torch.cdist(windows.keypoints_3d[:, 1], windows.keypoints_3d[:, 1]) for windows in (before, after))
    torch.testing.assert_close(a, b, atol=2e-3, rtol=0)  # no mirror, no stretching; torch.cdist is coarse
    # right-handed as before: the triple product keeps its sign
    triple = [
        torch.linalg.det(windows.keypoints_3d[:, 1, [3, 8, 14]] - windows.keypoints_3d[:, 1, :1])
        for windows in (before, after)
    ]
    torch.testing.assert_close(*triple, atol=1e-4, rtol=0)


def test_down_is_turned_with_the_person():
    after = surrounding_camera(standing(), H36M_17, generator=draw())
    torch.testing.assert_close((up_of(after) * after.down).sum(-1), (up_of(standing()) * standing().down).sum(-1))


def test_directions_are_even_in_the_range():
    after = surrounding_camera(standing(), H36M_17, generator=draw(), elevation=(-30.0, 60.0), roll=0.0)
    # The camera looks along z at elevation e: the vertical's part along z is sin(e), pointing down is away.
    elevation = torch.rad2deg(torch.asin(after.down[:, 2]))
    assert elevation.min() >= -30.1 and elevation.max() <= 60.1
    assert elevation.mean().item() == pytest.approx(15, abs=2)
    # not rolled: the vertical is upright in the image
    assert after.down[:, 0].abs().max() < 1e-5
    assert (after.down[:, 1] > 0).all()


def test_seen_from_above_heads_are_nearer():
    windows = surrounding_camera(standing(200), H36M_17, generator=draw(), elevation=(50.0, 60.0), roll=0.0)
    heads, feet = windows.keypoints_3d[:, 1, 16, 2], windows.keypoints_3d[:, 1, 0, 2]
    assert (heads < feet - 0.8).all()


def test_the_image_goes_with_the_camera():
    windows = surrounding_camera(standing(), H36M_17, generator=draw())
    rays = to_rays(windows.keypoints, windows.intrinsics)
    ground_truth = windows.keypoints_3d[..., :2] / windows.keypoints_3d[..., 2:]
    seen = ~windows.missed
    torch.testing.assert_close(rays[seen], ground_truth[seen], atol=1e-5, rtol=0)
    assert (windows.keypoints[seen].abs() <= 1).all()
    assert 0.02 < windows.missed.float().mean() < 0.5  # some people are cut off by the edge
    assert FOCAL[0] - 1e-5 <= windows.intrinsics[:, 0].min() and windows.intrinsics[:, 0].max() <= FOCAL[1] + 1e-5
    assert 1.9 < windows.keypoints_3d[:, 1, 0, 2].min() and windows.keypoints_3d[:, 1, 0, 2].max() < 8.1


def test_poses_are_needed():
    with pytest.raises(ValueError, match="surrounding_camera: there are no 3D poses"):
        surrounding_camera(WindowBatch(keypoints=torch.zeros(1, 3, 17, 2)), H36M_17, generator=draw())
    with pytest.raises(ValueError, match="guessed_focal: there is no 3D or no camera"):
        guessed_focal(standing(2), H36M_17, generator=draw())


def test_a_guessed_focal_length_moves_the_person_on_their_ray():
    before = surrounding_camera(standing(), H36M_17, generator=draw())
    after = guessed_focal(before, H36M_17, generator=draw(1), deviation=0.2)
    assert torch.equal(after.keypoints, before.keypoints)
    factor = before.intrinsics[:, 0] / after.intrinsics[:, 0]
    assert factor.log().std().item() == pytest.approx(0.2, rel=0.15)
    root = after.keypoints_3d[:, :, 0]
    torch.testing.assert_close(root[..., 2] * factor[:, None], before.keypoints_3d[:, :, 0, 2])
    image = to_rays(before.keypoints[:, :, 0], after.intrinsics)
    seen = ~before.missed[:, :, 0]
    torch.testing.assert_close((root[..., :2] / root[..., 2:])[seen], image[seen], atol=1e-5, rtol=0)
    poses = [windows.keypoints_3d - windows.keypoints_3d[:, :, :1] for windows in (before, after)]
    torch.testing.assert_close(*poses, atol=1e-5, rtol=0)


def test_the_same_generator_gives_the_same_views():
    one, two = (surrounding_camera(standing(20), H36M_17, generator=draw(3)) for _ in range(2))
    for a, b in zip(one, two, strict=True):
        assert a is b is None or torch.equal(a, b)
