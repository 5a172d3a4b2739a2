from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.apis import live_view
from mpm_mmpose.apis.images import ArrayImages
from mpm_mmpose.apis.live_view import AWAY, LiveView
from mpm_mmpose.errors import UsageError
from mpm_mmpose.lifting.people import People
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.runtime import OnnxModel
from mpm_mmpose.visualization.strokes import PALETTE

BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (40, 100)


@pytest.fixture(scope="module")
def lifter():
    config = Config.fromfile(Path(__file__).parents[2] / "configs/mpm/lift_mocap_27.py")
    size = dict(num_frames=9, channels=16, hidden_channels=16, num_heads=2)
    config.model.backbone.update(depth=1, mask_tokens=True, init_cfg=None, **size)
    config.model.head.update(strides=(3, 3), **size)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    return TrackLifter(MODELS.build(config.model))


@pytest.fixture
def screen(monkeypatch):
    """What is shown, and the keys that the user presses."""
    shown, keys = [], []
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(live_view.subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0))
    monkeypatch.setattr(live_view.cv2, "imshow", lambda title, image: shown.append(image))
    monkeypatch.setattr(live_view.cv2, "waitKey", lambda delay: keys.pop() if keys else -1)
    monkeypatch.setattr(live_view.cv2, "destroyAllWindows", lambda: shown.append("closed"))
    return shown, keys


def people(*places):
    keypoints = np.array([BODY + place for place in places], np.float32).reshape(-1, 17, 2)
    return People(keypoints, np.ones(keypoints.shape[:2], np.float32), np.zeros((len(places), 4), np.float32))


def has(image, colour) -> bool:
    return bool((np.abs(image.astype(int) - colour).sum(-1) < 8).any())


def test_people_are_shown_in_2d_and_3d_in_a_cell_of_their_own(lifter, screen):
    shown, _ = screen
    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 10.0)
    with LiveView(images, lifter, "h36m_17") as view:
        assert view.show(0.0, images.images[0], people((20, 50), (120, 50)), np.array([0, 1]))
        assert view.show(0.1, images.images[0], people((120, 50)), np.array([1]))
        first, second = shown
        assert first.shape == (540, 540 + 2 * 540, 3) and second.shape == first.shape
        left, cells = first[:, :540], [first[:, 540:1080], first[:, 1080:]]
        assert has(left, PALETTE[0]) and has(left, PALETTE[1])
        assert has(cells[0], PALETTE[0]) and not has(cells[0], PALETTE[1]) and has(cells[1], PALETTE[1])
        # A person who is left stays in their cell.
        assert has(second[:, 1080:], PALETTE[1]) and not has(second, PALETTE[0])
    assert shown[-1] == "closed"


def test_the_3d_is_that_of_the_stream(lifter, screen):
    from mpm_mmpose.lifting.stream import MPMStream

    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 10.0)
    view = LiveView(images, lifter, "h36m_17")
    stream = MPMStream(lifter, keypoint_set="h36m_17", width=200, height=200, fps=10.0)
    for frame in range(3):
        found = people((20 + frame, 50))
        drawn = view._person(frame / 10, 0, found, 0)
        (lifted,) = stream.push(found.keypoints[0], found.scores[0], frame / 10)
        np.testing.assert_array_equal(drawn.keypoints_3d[0], lifted.keypoints_3d)


def test_the_shipped_model_is_shown(screen):
    """With the keypoints of the detector that is there without being asked for."""
    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 30.0)
    places = np.random.default_rng(1).uniform((40, 20), (160, 180), (3, 1, 33, 2)).astype(np.float32)
    with LiveView(images, TrackLifter(OnnxModel()), "blazepose_33") as view:
        for number, keypoints in enumerate(places):
            found = People(keypoints, np.ones((1, 33), np.float32), np.zeros((1, 4), np.float32))
            assert view.show(number / 30, images.images[0], found, np.array([0]))
    cell = screen[0][1][:, 540:]
    assert has(cell, PALETTE[0])


def test_who_is_away_for_long_gives_their_cell_to_others(lifter, screen):
    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 10.0)
    view = LiveView(images, lifter, "h36m_17")
    view.show(0.0, images.images[0], people((20, 50)), np.array([0]))
    for number in range(AWAY + 1):
        view.show(0.1 * (number + 1), images.images[0], people(), np.array([], int))
    view.show(9.0, images.images[0], people((20, 50)), np.array([1]))
    assert view._cells == {1: 0}


@pytest.mark.parametrize(("key", "more"), [(ord("q"), False), (27, False), (ord("x"), True)])
def test_keys(lifter, screen, key, more):
    screen[1].append(key)
    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 10.0)
    assert LiveView(images, lifter, "h36m_17").show(0.0, images.images[0], people(), np.array([], int)) == more


def test_without_a_screen(lifter, monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UsageError, match=r"show \(--show\): there is no screen here"):
        LiveView(ArrayImages(np.zeros((1, 8, 8, 3), np.uint8), 10.0), lifter, "h36m_17")


def test_a_screen_that_does_not_answer(lifter, monkeypatch):
    monkeypatch.setenv("DISPLAY", ":99")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(UsageError, match=r"show \(--show\): no window can be opened on this screen"):
        live_view.check_display()


def test_a_known_lens_is_that_of_what_is_shown(screen):
    images = ArrayImages(np.zeros((1, 200, 200, 3), np.uint8), 30.0)
    shown = []
    for intrinsics in (None, np.array([600.0, 600, 100, 100, 0, 0, 0, 0, 0], np.float32)):
        with LiveView(images, TrackLifter(OnnxModel()), "h36m_17", intrinsics) as view:
            shown.append(view._person(0.0, 0, people((60, 50)), 0).keypoints_3d)
    assert np.abs(shown[0] - shown[1]).max() > 0.01
