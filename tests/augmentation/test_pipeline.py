import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from window_batches import PLAIN_INTRINSICS, SEEDS, range_in, stream, views_of

from mpm_mmpose.augmentation.pipeline import AUGMENTATIONS, body_proportions, virtual_camera
from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.pose.geometry import project
from mpm_mmpose.pose.keypoints import H36M_17

ANGLES = dict(yaw=range_in(-180, 180), tilt=range_in(-30, 30), roll=range_in(-20, 20))
FACTORS = dict(distance=range_in(0.5, 2), focal=range_in(0.6, 1.7))


@pytest.mark.parametrize("name", set(AUGMENTATIONS) - {"surrounding_camera"})
def test_nothing_happens_by_default(name):
    before = views_of(1)
    after = AUGMENTATIONS[name](before, H36M_17, generator=stream())
    for field in ("keypoints", "keypoints_3d", "intrinsics"):
        torch.testing.assert_close(getattr(after, field), getattr(before, field), rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_draws_follow_the_generator_alone(name):
    options = dict(
        virtual_camera=dict(yaw=(-90, 90), focal=(0.8, 1.2)),
        body_proportions=dict(body=(0.8, 1.2), limb=(0.9, 1.1), bone=(0.9, 1.1)),
        detector_noise=dict(sigma=0.01, outliers=0.1, missed=0.1, occluded=0.2),
        surrounding_camera=dict(),
        person_noise=dict(offset=0.02, drift=0.01, jitter=0.01, exchanged=0.2, occluded=0.2),
    )
    if name not in options:  # changes no 2D
        return
    options = options[name]
    state = torch.get_rng_state()
    first, again, other = (
        AUGMENTATIONS[name](views_of(1), H36M_17, generator=stream(seed), **options) for seed in (5, 5, 6)
    )
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.keypoints, again.keypoints) and not torch.equal(first.keypoints, other.keypoints)
    # every sample has a draw of its own
    change = first.keypoints - views_of(1).keypoints
    assert not torch.allclose(change[0], change[1], atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, angles=st.fixed_dictionaries(ANGLES), factors=st.fixed_dictionaries(FACTORS))
def test_another_camera_sees_the_same_motion_and_all_of_it(seed, angles, factors):
    before = views_of(seed % 100)
    after = virtual_camera(before, H36M_17, generator=stream(seed), **angles, **factors)
    torch.testing.assert_close(after.keypoints, project(after.keypoints_3d, after.intrinsics))
    # a rigid motion of the whole window: all distances within it are kept
    for poses in zip(before.keypoints_3d, after.keypoints_3d, strict=True):
        old, new = (torch.cdist(*2 * [pose.flatten(0, 1).double()]) for pose in poses)
        torch.testing.assert_close(new, old, rtol=0, atol=1e-4)
    assert (after.keypoints_3d[..., 2] >= 0.5 - 1e-4).all()
    assert after.keypoints.abs().max() < 1.04  # distortion left out of the reckoning
    linear = after.keypoints_3d[..., :2] / after.keypoints_3d[..., 2:]
    linear = linear * after.intrinsics[:, None, None, :2] + after.intrinsics[:, None, None, 2:4]
    assert linear.abs().max() < 1 + 1e-3
    assert torch.equal(after.intrinsics[:, 2:], before.intrinsics[:, 2:])
    ratio = after.intrinsics[:, :2] / before.intrinsics[:, :2]
    assert (ratio >= factors["focal"][0] - 1e-5).all() and (ratio <= factors["focal"][1] + 1e-5).all()


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, x=st.floats(-3, 3), y=st.floats(-2, 2), z=st.floats(-4.5, 2))
def test_zero_ranges_change_nothing_even_out_of_the_image(seed, x, y, z):
    inside = views_of(seed % 100, intrinsics=PLAIN_INTRINSICS)
    poses = inside.keypoints_3d * 0.5 + torch.tensor([x, y, max(z, -1.5)])
    before = inside._replace(keypoints_3d=poses, keypoints=project(poses, inside.intrinsics))
    after = virtual_camera(before, H36M_17, generator=stream(seed))
    torch.testing.assert_close(after.keypoints_3d, before.keypoints_3d, rtol=0, atol=1e-4)
    torch.testing.assert_close(after.keypoints, before.keypoints, rtol=0, atol=1e-4)


def test_a_turn_is_about_the_ground_s_normal():
    before = views_of(3, size=5)
    down = torch.nn.functional.normalize(torch.tensor([[0.1, 0.9, 0.3]]).repeat(5, 1), dim=-1)
    after = virtual_camera(before._replace(down=down), H36M_17, generator=stream(), yaw=(40, 40))
    torch.testing.assert_close(after.down, down)
    # heights above the ground stay, up to the place of the whole window
    heights = [(v.keypoints_3d * down[:, None, None]).sum(-1) for v in (before, after)]
    relative = [h - h[:, :1, :1] for h in heights]
    torch.testing.assert_close(*relative, rtol=0, atol=1e-5)
    tilted = virtual_camera(before._replace(down=down), H36M_17, generator=stream(), tilt=(20, 20))
    cosine = torch.tensor(20.0).deg2rad().cos()
    torch.testing.assert_close(tilted.down[:, 0], down[:, 0])
    yz = [torch.nn.functional.normalize(v[:, 1:], dim=-1) for v in (tilted.down, down)]
    torch.testing.assert_close((yz[0] * yz[1]).sum(-1), cosine.expand(5))


@pytest.mark.parametrize("option", ["yaw", "tilt", "roll"])
def test_angles_are_degrees_about_the_axis_of_their_name(option):
    before = views_of(3)
    after = virtual_camera(before, H36M_17, generator=stream(), **{option: (90, 90)})
    old, new = (v.keypoints_3d - v.keypoints_3d[:, :, :1].mean(1, keepdim=True) for v in (before, after))
    x, y, z = old.unbind(-1)
    expected = dict(yaw=(z, y, -x), tilt=(x, -z, y), roll=(-y, x, z))[option]
    torch.testing.assert_close(new, torch.stack(expected, -1), rtol=0, atol=1e-5)


def test_distance_and_focal_length_are_factors():
    before = views_of(3, intrinsics=PLAIN_INTRINSICS)
    after = virtual_camera(before, H36M_17, generator=stream(), distance=(2, 2), focal=(2, 2))
    torch.testing.assert_close(after.intrinsics[:, :2], 2 * before.intrinsics[:, :2])
    middles = [v.keypoints_3d[:, :, 0].mean(1) for v in (before, after)]
    torch.testing.assert_close(middles[1][:, 2], 2 * middles[0][:, 2])
    # the middle of the root's path stays in its place in the image
    torch.testing.assert_close(project(middles[1], after.intrinsics), project(middles[0], before.intrinsics))


@pytest.mark.parametrize("augment", [virtual_camera, body_proportions])
def test_windows_of_unknown_cameras_stay(augment):
    before = views_of(3)
    intrinsics = before.intrinsics.clone()
    intrinsics[1] = torch.nan
    before = before._replace(intrinsics=intrinsics)
    options = {
        virtual_camera: dict(yaw=(50, 60)),
        body_proportions: dict(body=(0.7, 0.8)),
    }[augment]
    after = augment(before, H36M_17, generator=stream(), **options)
    for name in ("keypoints", "keypoints_3d"):
        old, new = getattr(before, name), getattr(after, name)
        same = (old == new).flatten(1).all(1)
        assert same.tolist() == [False, True, False, False] and not new.isnan().any()


def test_3d_alone_is_turned_where_it_is():
    before = views_of(3)._replace(keypoints=None, intrinsics=None)
    after = virtual_camera(before, H36M_17, generator=stream(), yaw=(-180, 180))
    assert after.keypoints is None and not torch.allclose(after.keypoints_3d, before.keypoints_3d)
    middles = [v.keypoints_3d[:, :, 0].mean(1) for v in (before, after)]
    torch.testing.assert_close(*middles)


@pytest.mark.parametrize("augment", [virtual_camera, body_proportions])
def test_2d_alone_cannot_be_seen_from_elsewhere(augment):
    before = views_of(1)
    with pytest.raises(ValueError, match=f"{augment.__name__}: there are no 3D poses"):
        augment(WindowBatch(before.keypoints), H36M_17, generator=stream())
    if augment is not virtual_camera:
        with pytest.raises(ValueError, match="no intrinsics to project"):
            augment(before._replace(intrinsics=None), H36M_17, generator=stream())
