import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mpm_mmpose.models.person_view import person_features, person_view, placed_on_rays, rolled_upright, turned_to
from mpm_mmpose.pose.geometry import rotated

NOTHING_MASKED = torch.zeros(2, 3, 17, dtype=torch.bool)
TOKENS = torch.zeros(17, 2)


def people(seed=0, depth=4.0):
    """Poses (2, 3, 17, 3) m in camera space, about a metre wide."""
    generator = torch.Generator().manual_seed(seed)
    return 0.4 * torch.randn(2, 3, 17, 3, generator=generator) + torch.tensor([0.3, -0.2, depth])


def rays_of(points):
    return points[..., :2] / points[..., 2:]


def test_rotations_look_along_the_ray():
    mean = torch.tensor([[0.0, 0.0], [0.5, -0.3]])
    rotation = turned_to(mean)
    torch.testing.assert_close(rotation[0], torch.eye(3))
    torch.testing.assert_close(rotation @ rotation.transpose(1, 2), torch.eye(3).expand(2, 3, 3))
    looked_at = rotated(rotation, torch.tensor([[0.0, 0.0, 1.0], [0.5, -0.3, 1.0]]))
    torch.testing.assert_close(looked_at[:, :2], torch.zeros(2, 2), atol=1e-6, rtol=0)
    assert rotation[1, 0, 1] == 0  # the turned camera's x stays level


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.6, 0.6))
def test_a_camera_turned_aside_sees_the_same_person(angle):
    """A person on the horizon looks the same wherever in the image they are."""
    points = people()
    points = points - points.mean((1, 2), keepdim=True) * torch.tensor([1.0, 1.0, 0.0])  # around the optical axis
    mirrored = torch.cat([points, points * torch.tensor([1.0, -1.0, 1.0])], dim=2)  # and as much above as below it
    cos, sin = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    turn = torch.tensor([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
    masked = torch.zeros(2, 3, 34, dtype=torch.bool)
    first = person_features(person_view(rays_of(mirrored), masked), torch.zeros(34, 2))
    # The mean of a turned camera's rays is not exactly the turned mean: a few per cent of the person's size.
    other = person_features(person_view(rays_of(mirrored @ turn.T), masked), torch.zeros(34, 2))
    assert (first - other).abs().mean() < 0.05


def test_units_are_the_persons_size():
    flat = torch.randn(2, 3, 17, 2, generator=torch.Generator().manual_seed(1))
    flat = flat - flat.mean((1, 2), keepdim=True)
    small, large = (person_view(0.01 * scale * flat, NOTHING_MASKED) for scale in (1, 3))
    torch.testing.assert_close(large.size, 3 * small.size, rtol=2e-3, atol=0)
    a, b = person_features(small, TOKENS), person_features(large, TOKENS)
    torch.testing.assert_close(a[..., :-1], b[..., :-1], rtol=0, atol=2e-2)
    torch.testing.assert_close(b[..., -1] - a[..., -1], torch.full((2, 3), 3.0).log(), rtol=2e-3, atol=0)


def test_what_masked_keypoints_hold_does_not_matter():
    rays = rays_of(people())
    masked = torch.rand(2, 3, 17, generator=torch.Generator().manual_seed(2)) < 0.4
    views = [person_view(rays.masked_fill(masked[..., None], value), masked) for value in (torch.nan, 7.0)]
    for one, other in zip(*views, strict=True):
        assert torch.equal(one, other)
    tokens = torch.randn(17, 2, generator=torch.Generator().manual_seed(3))
    features = person_features(views[0], tokens)
    assert features.shape == (2, 3, 54)
    torch.testing.assert_close(features[..., :34].unflatten(-1, (17, 2))[masked], tokens.expand(2, 3, 17, 2)[masked])
    assert torch.equal(features[..., 34:51].bool(), masked)


def test_with_everything_masked_it_is_finite_with_gradients():
    rays = torch.full((2, 3, 17, 2), torch.nan, requires_grad=True)
    view = person_view(rays, ~NOTHING_MASKED)
    features = person_features(view, TOKENS)
    assert features.isfinite().all()
    features.sum().backward()
    assert rays.grad.isfinite().all()


def test_a_mirrored_person_is_seen_mirrored():
    rays = rays_of(people())
    mirror = torch.tensor([-1.0, 1.0])
    plain, other = (person_view(one, NOTHING_MASKED) for one in (rays, rays * mirror))
    torch.testing.assert_close(other.rays, plain.rays * mirror)
    torch.testing.assert_close(other.centre, plain.centre * mirror)
    torch.testing.assert_close(other.size, plain.size)


@pytest.mark.parametrize("trust", [0.0, 0.25, 1.0])
def test_trusted_keypoints_move_to_their_rays(trust):
    view = person_view(rays_of(people()), NOTHING_MASKED)
    free = rotated(view.rotation, people(seed=1))
    masked = view._replace(visible=view.visible.clone())
    masked.visible[0, 0, 0] = False
    placed = placed_on_rays(free, torch.full((2, 3, 17), trust), masked)
    assert torch.equal(placed[..., 2], free[..., 2])
    assert torch.equal(placed[0, 0, 0], free[0, 0, 0])
    on_ray = view.rays * free[..., 2:]
    expected = free[..., :2] + trust * (on_ray - free[..., :2])
    torch.testing.assert_close(placed[1, ..., :2], expected[1])


TRUNK = ((11, 14), (1, 4))


@settings(max_examples=20, deadline=None)
@given(st.floats(-3.1, 3.1))
def test_how_the_camera_is_held_does_not_matter(angle):
    points = people()
    cos, sin = torch.cos(torch.tensor(angle)), torch.sin(torch.tensor(angle))
    held = torch.tensor([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    first, other = (person_view(rays_of(p), NOTHING_MASKED, TRUNK) for p in (points, points @ held.T))
    torch.testing.assert_close(person_features(other, TOKENS), person_features(first, TOKENS), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(
        rotated(other.rotation, points @ held.T), rotated(first.rotation, points), atol=1e-4, rtol=0
    )


def test_the_trunk_is_upright_and_rotations_stay_rotations():
    masked = NOTHING_MASKED.clone()
    masked[0, 0, 11] = masked[0, 1, [1, 4]] = True
    view = person_view(rays_of(people()), masked, TRUNK)
    torch.testing.assert_close(view.rotation @ view.rotation.transpose(1, 2), torch.eye(3).expand(2, 3, 3))
    torch.testing.assert_close(torch.linalg.det(view.rotation), torch.ones(2))
    turned = rotated(view.rotation, people())
    torch.testing.assert_close(view.rays[1], rays_of(turned)[1])
    way = view.rays[1][:, [11, 14]].mean(1) - view.rays[1][:, [1, 4]].mean(1)
    torch.testing.assert_close(way.mean(0)[0], torch.tensor(0.0), atol=1e-6, rtol=0)
    assert way.mean(0)[1] < 0, "the image's y points down"


def test_a_trunk_that_is_never_seen_turns_nothing():
    masked = NOTHING_MASKED.clone()
    masked[:, :, [11, 14]] = True
    weight = (~masked)[..., None].float()
    roll = rolled_upright(rays_of(people()) * weight, weight, TRUNK)
    assert torch.equal(roll, torch.eye(2).expand(2, 2, 2))
