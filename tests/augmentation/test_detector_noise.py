import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mpm_mmpose.augmentation.detector_noise import detector_noise
from mpm_mmpose.augmentation.window_batch import WindowBatch
from mpm_mmpose.pose.keypoints import H36M_17


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def ground_truth(size=40, frames=50):
    return WindowBatch(torch.rand(size, frames, 17, 2, generator=stream(9)) * 2 - 1)


def noisy(**options):
    after = detector_noise(ground_truth(), H36M_17, generator=stream(), **options)
    return after, after.keypoints - ground_truth().keypoints


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), outliers=st.floats(0, 1), missed=st.floats(0, 1), occluded=st.floats(0, 1))
def test_no_scale_is_no_noise(seed, outliers, missed, occluded):
    before = ground_truth(3, 7)
    after = detector_noise(before, H36M_17, generator=stream(seed), outliers=outliers, missed=missed, occluded=occluded)
    assert torch.equal(after.keypoints, before.keypoints)
    assert torch.equal(after.scores, (~after.missed).float())
    assert after.missed.any() or missed < 1
    assert not after.missed.any() or missed or occluded


def test_gaussian_of_the_given_deviation_a_keypoint():
    _, error = noisy(sigma=0.01, keypoint_scale=dict(left_wrist=3.0, pelvis=0.0))
    deviations = error.flatten(0, 1).std((0, 2))
    expected = torch.full((17,), 0.01)
    expected[H36M_17.index("left_wrist")], expected[0] = 0.03, 0
    torch.testing.assert_close(deviations, expected, rtol=0.06, atol=0)
    kurtosis = (error[:, :, 1:] ** 4).mean() / (error[:, :, 1:] ** 2).mean() ** 2
    assert torch.isfinite(kurtosis) and error.mean().abs() < 1e-3


def test_outliers_have_heavy_tails_and_low_scores():
    _, plain = noisy(sigma=0.01)
    after, error = noisy(sigma=0.01, outliers=0.1, outlier_scale=5)
    moved = (error - plain).abs().amax(-1) > 1e-7
    assert moved.float().mean() == pytest.approx(0.1, abs=0.01)
    assert (plain.abs() > 0.06).float().mean() == 0
    # Student's t with 2 degrees of freedom, 5 times as wide: |t| > 4 with a chance of 1 - 4 / sqrt(2 + 16).
    far = (error[moved].abs() > 4 * 5 * 0.01).float().mean().item()
    assert far == pytest.approx(1 - 4 / 18**0.5, abs=0.015)
    assert after.scores[moved].mean() < 0.5 < after.scores[~moved].mean()
    distance = error.norm(dim=-1) / 0.01
    torch.testing.assert_close(after.scores, 1 / (1 + (distance / 3) ** 2), rtol=1e-3, atol=1e-5)


def test_missed_keypoints_are_so_many_and_have_no_score():
    after, error = noisy(sigma=0.01, missed=0.2)
    assert after.missed.float().mean() == pytest.approx(0.2, abs=0.01)
    assert (after.scores[after.missed] == 0).all() and (after.scores[~after.missed] > 0).all()
    assert error.isfinite().all()


def test_occlusions_are_stretches_of_frames():
    after, _ = noisy(occluded=0.3, occluded_frames=(4, 8))
    masked = after.missed.transpose(1, 2).flatten(0, 1)  # one row per keypoint
    assert masked.any(1).float().mean() == pytest.approx(0.3, abs=0.06)
    rows = masked[masked.any(1)].int()
    assert (rows.diff(dim=1).abs().sum(1) <= 2).all()
    length = rows.sum(1)
    inside = (rows[:, 0] == 0) & (rows[:, -1] == 0)
    assert set(length[inside].tolist()) == {4, 5, 6, 7, 8} and length.min() < 4
    # every frame is as likely
    assert masked.float().mean(0).std() < 0.04


def test_what_was_missed_before_stays_missed():
    before = ground_truth(2, 3)
    scores = torch.full((2, 3, 17), 0.5)
    missed = torch.zeros(2, 3, 17, dtype=torch.bool)
    missed[0, 0, 0] = True
    after = detector_noise(before._replace(scores=scores, missed=missed), H36M_17, generator=stream())
    assert torch.equal(after.scores, scores) and torch.equal(after.missed, missed)


def test_arguments_that_mean_nothing():
    with pytest.raises(ValueError, match="missed is 1.5; give a share"):
        noisy(missed=1.5)
    with pytest.raises(ValueError, match=r"stretches of \(0, 3\) frames"):
        noisy(occluded_frames=(0, 3))
    with pytest.raises(KeyError, match="no 'tail'"):
        noisy(keypoint_scale=dict(tail=2.0))
    with pytest.raises(ValueError, match="no 2D keypoints"):
        detector_noise(WindowBatch(keypoints_3d=torch.zeros(1, 1, 17, 3)), H36M_17, generator=stream())
