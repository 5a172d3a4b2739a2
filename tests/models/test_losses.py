import pytest
import torch

from mpm_mmpose.models.losses import mean_distance


def test_mean_distance_by_hand():
    target = torch.zeros(1, 3, 2)
    predicted = torch.tensor([[[3.0, 4.0], [0.0, 2.0], [5.0, 12.0]]])
    assert mean_distance(predicted, target).item() == pytest.approx((5 + 2 + 13) / 3)
    assert mean_distance(predicted, target, torch.tensor([[True, False, True]])).item() == pytest.approx(9)
    assert mean_distance(predicted, target, torch.tensor([[0.5, 1, 0]])).item() == pytest.approx((2.5 + 2) / 1.5)
    assert mean_distance(predicted, target, torch.zeros(1, 3, dtype=torch.bool)).item() == 0
    assert mean_distance(predicted.bfloat16(), target).dtype == torch.float32


def test_mean_distance_has_no_nan_gradient_where_the_prediction_is_exact():
    predicted = torch.zeros(1, 3, 2, requires_grad=True)
    mean_distance(predicted, torch.zeros(1, 3, 2)).backward()
    assert torch.equal(predicted.grad, torch.zeros(1, 3, 2))
