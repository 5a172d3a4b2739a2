import pytest
import torch

from mpm_mmpose.models.window_centre import SCALE, window_place, with_place


def keypoints(batch=3, frames=5, number=17):
    return torch.randn(batch, frames, number, 2, generator=torch.Generator().manual_seed(0))


def test_the_place_is_the_mean_of_what_is_visible():
    x = keypoints()
    masked = torch.rand(3, 5, 17, generator=torch.Generator().manual_seed(1)) < 0.4
    place = window_place(x, masked)
    for row in range(3):
        torch.testing.assert_close(place[row, 0, 0], x[row][~masked[row]].mean(0))
    nan = x.masked_fill(masked[..., None], torch.nan)
    assert torch.equal(window_place(nan, masked), place)


def test_nothing_visible_is_at_0():
    assert torch.equal(window_place(keypoints(), torch.ones(3, 5, 17, dtype=torch.bool)), torch.zeros(3, 1, 1, 2))


def test_the_place_is_one_more_keypoint_of_every_frame():
    x, place = keypoints(), torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).view(3, 1, 1, 2)
    found = with_place(x, place)
    assert torch.equal(found[:, :, :17], x)
    assert found.shape == (3, 5, 18, 2)
    assert torch.equal(found[1, :, 17], SCALE * torch.tensor([3.0, 4.0]).expand(5, 2))


@pytest.mark.parametrize("shift", [0.3, -2.0])
def test_the_place_moves_with_the_person_and_the_rest_stays(shift):
    x, masked = keypoints(), torch.zeros(3, 5, 17, dtype=torch.bool)
    place, moved = window_place(x, masked), window_place(x + shift, masked)
    torch.testing.assert_close(moved, place + shift)
    torch.testing.assert_close(x + shift - moved, x - place, rtol=0, atol=1e-6)
