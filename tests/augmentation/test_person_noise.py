import pytest
import torch

from mpm_mmpose.augmentation.person_noise import person_noise
from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.pose.keypoints import H36M_17

SIZE = 0.5  # diagonal of the box around the keypoints of `windows`


def windows(number=400, frames=40):
    """People whose keypoints stand on a line of length 0.5."""
    line = torch.linspace(0, 1, 17)[:, None] * torch.tensor([0.3, 0.4])
    return WindowBatch(keypoints=line.expand(number, frames, 17, 2), scores=torch.ones(number, frames, 17))


def noise(seed=0, **options):
    return person_noise(windows(), H36M_17, generator=torch.Generator().manual_seed(seed), **options)


def error(**options):
    found = noise(**options)
    return found.keypoints - found.true_keypoints


def test_nothing_is_changed_by_default():
    found = noise()
    assert torch.equal(found.keypoints, windows().keypoints)
    assert not found.missed.any()


def test_offsets_stay_and_jitter_does_not():
    stays = error(offset=0.02)
    assert torch.equal(stays[:, :1].expand_as(stays), stays)
    assert stays[:, 0].std().item() == pytest.approx(0.02 * SIZE, rel=0.05)
    quick = error(jitter=0.02)
    assert quick.std().item() == pytest.approx(0.02 * SIZE, rel=0.02)
    assert abs(correlation(quick)) < 0.02


def test_drift_changes_slowly():
    slow = error(drift=0.02)
    assert correlation(slow) > 0.8
    assert slow.std().item() == pytest.approx(0.02 * SIZE * (2 / 3) ** 0.5, rel=0.1)  # straight lines between draws


def correlation(values):
    """Of an error with the one in the next frame."""
    return torch.corrcoef(torch.stack([values[:, :-1].flatten(), values[:, 1:].flatten()]))[0, 1].item()


def test_strength_is_drawn_for_each_window():
    strong = error(jitter=0.02, strength=(0.5, 2.0)).flatten(1).std(1) / (0.02 * SIZE)
    assert 0.45 < strong.min() < 0.6 and 1.7 < strong.max() < 2.2
    assert strong.log().mean().item() == pytest.approx(0, abs=0.1)


def test_outliers_are_a_share():
    far = (error(jitter=0.001, outliers=0.1).abs().amax(-1) > 0.001 * SIZE * 4.5).float().mean().item()
    assert 0.05 < far < 0.1


def test_legs_and_arms_are_exchanged_whole():
    found = noise(exchanged=0.5, frames=(5, 10))
    moved = (found.keypoints != windows().keypoints).any(-1)  # (B, T, K)
    legs, arms = (
        [i for limb, ids in H36M_17.limbs.items() if limb.endswith(end) for i in ids] for end in ("leg", "arm")
    )
    for part in (legs, arms):
        assert torch.equal(moved[..., part].all(-1), moved[..., part].any(-1))
        assert 0.4 < moved[..., part].any(-1).any(1).float().mean() < 0.6
    assert not moved[..., [0, 7, 8, 9, 10]].any()
    mirrored = windows().keypoints[:, :, list(H36M_17.flip_indices)]
    assert torch.equal(found.keypoints[moved], mirrored[moved])


def test_what_is_missed_has_no_score():
    found = noise(missed=0.1, occluded=0.3, frames=(5, 10))
    assert 0.12 < found.missed.float().mean() < 0.2
    assert torch.equal(found.scores == 0, found.missed)
    before = windows()._replace(missed=torch.ones(400, 40, 17, dtype=torch.bool))
    assert person_noise(before, H36M_17, generator=torch.Generator()).missed.all()


def test_wrong_use_is_refused():
    with pytest.raises(ValueError, match="there are no 2D keypoints"):
        person_noise(WindowBatch(), H36M_17, generator=torch.Generator())
    with pytest.raises(ValueError, match="'missed': 2"):
        noise(missed=2)


def test_the_whole_person_is_missed_for_a_part_of_the_window():
    missed = noise(absent=0.5, frames=(5, 60)).missed
    assert torch.equal(missed.all(-1), missed.any(-1))
    frames = missed[..., 0].sum(1)
    assert 0.4 < (frames > 0).float().mean() < 0.6 and 30 < frames.max() < 40
    # In one piece.
    assert (missed[..., 0].int().diff(dim=1).abs().sum(1) <= 2).all()


def test_half_of_the_limbs_are_occluded_together():
    missed = noise(occluded_half=1.0, frames=(5, 10)).missed
    parts = {tuple(row.nonzero().flatten().tolist()) for row in missed.any(1)}
    limbs = {limb: set(indices) for limb, indices in H36M_17.limbs.items()}
    pairs = [("right_leg", "left_leg"), ("right_arm", "left_arm"), ("right_arm", "right_leg"), ("left_arm", "left_leg")]
    assert parts == {tuple(sorted(limbs[one] | limbs[other])) for one, other in pairs}
    assert torch.equal(missed.any(-1).sum(1) > 0, torch.ones(400, dtype=torch.bool))


@pytest.mark.parametrize("name", ["absent", "occluded_half", "missed"])
def test_a_chance_is_a_share(name):
    with pytest.raises(ValueError, match=f"person_noise: {{'{name}': 1.5}}; give shares"):
        noise(**{name: 1.5})
