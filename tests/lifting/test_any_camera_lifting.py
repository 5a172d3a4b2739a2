"""Models of rays in TrackLifter: cameras and framing do not matter where the lens is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from bone_lengths import bone_variation
from mmpose.registry import MODELS

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.lifting.stream import MPMStream
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.lifting.trajectory import choose_camera
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.runtime import OnnxModel

T, FRAMES = 9, 30
IGNORED = (0, 7, 8, 9, 10)


def make_model(**options):
    torch.manual_seed(0)
    small = dict(num_frames=T, channels=32)
    backbone = dict(type="PersonBackbone", depth=1, hidden_channels=48, **small)
    built = MODELS.build(
        dict(
            type="PoseLifter",
            backbone=dict(backbone, temporal="mixer", ignored=IGNORED, **options),
            head=dict(type="PersonSequenceHead", **small),
            data_preprocessor=MODELS.build(dict(type="RayPreprocessor")),
        )
    )
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return built.eval()


@pytest.fixture(scope="module")
def model():
    return make_model()


def make_track(width=1920, height=1080, shift=(0, 0), focal=1500.0, keypoints=None):
    """A person in the middle of 1920 x 1080 px, in an image that was cut out of it, or that it was put into."""
    random = np.random.default_rng(0)
    walk = random.uniform(-200, 200, (1, 17, 2)) + np.cumsum(random.normal(0, 4, (FRAMES, 17, 2)), 0)
    keypoints = walk + (960, 540) if keypoints is None else keypoints
    intrinsics = [focal, focal, 960 + shift[0], 540 + shift[1], 0, 0, 0, 0, 0]
    return Track2D(
        person="0",
        times=np.arange(FRAMES) / 30,
        keypoints=keypoints + np.array(shift),
        scores=np.ones((FRAMES, 17)),
        keypoint_set="h36m_17",
        width=width,
        height=height,
        fps=30,
        intrinsics=None if focal is None else np.array(intrinsics),
    )


def lift(model, track, **options):
    return TrackLifter(model, fps=30, **options).lift(track).keypoints_3d


def test_portrait_landscape_and_cropped_give_the_same_3d(model):
    whole = lift(model, make_track())
    portrait = lift(model, make_track(width=1080, height=1920, shift=(-420, 420)))
    cropped = lift(model, make_track(width=900, height=900, shift=(-510, -90)))
    np.testing.assert_allclose(portrait, whole, atol=1e-4)
    np.testing.assert_allclose(cropped, whole, atol=1e-4)


@pytest.mark.parametrize("degrees", [13, 90, -150])
def test_a_rolled_camera_gives_the_same_3d_rolled(degrees):
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    track = make_track()
    rolled = (track.keypoints - (960, 540)) @ turn.T + (960, 540)
    upright = make_model(upright=((11, 14), (1, 4)))
    whole, also = (lift(upright, each) for each in (track, make_track(keypoints=rolled)))
    also[..., :2] = also[..., :2] @ turn
    np.testing.assert_allclose(also, whole, atol=1e-3)


def test_the_shipped_model_does_not_mind_how_the_camera_is_held():
    """To a few millimetres: what it takes for granted of the lens depends on the image's size."""
    lifter = TrackLifter(OnnxModel())
    track = make_track(focal=None)
    quarter = replace(track, keypoints=np.stack([1080 - track.keypoints[..., 1], track.keypoints[..., 0]], -1))
    quarter = replace(quarter, width=1080, height=1920)
    whole, turned = (lifter.lift(each).keypoints_3d for each in (track, quarter))
    back = np.stack([turned[..., 1], -turned[..., 0], turned[..., 2]], -1)
    assert np.linalg.norm(back - whole, axis=-1).max() < 0.003


def test_an_unknown_lens_is_guessed(model):
    track = make_track(focal=None)
    guess = choose_camera(track).intrinsics[0]
    assert guess == pytest.approx(np.hypot(1920, 1080))
    np.testing.assert_allclose(lift(model, track), lift(model, make_track(focal=guess)), atol=1e-4)


def test_whole_sequences_are_blended_and_bones_are_constant(model):
    lifter = TrackLifter(model, fps=30)
    assert (lifter.mode, lifter.constant_bones) == ("blended", True)
    track = make_track()
    assert bone_variation(H36M_17, lift(model, track)) < 1e-5
    assert bone_variation(H36M_17, lift(model, track, constant_bones=False)) > 0.01


def test_keypoints_that_the_model_ignores_are_said_to_be_masked(model):
    track = make_track()
    lifted = TrackLifter(model, fps=30).lift(track)
    assert lifted.masked[:, IGNORED].all() and not np.delete(lifted.masked, IGNORED, 1).any()
    other = track.keypoints.copy()
    other[:, IGNORED] += 50
    np.testing.assert_array_equal(lift(model, make_track(keypoints=other)), lifted.keypoints_3d)


@pytest.mark.parametrize("shipped", [False, True])
def test_streams_give_what_whole_tracks_give(model, shipped):
    track = make_track()
    lifter = TrackLifter(OnnxModel() if shipped else model, fps=30, mode="exact", constant_bones=False)
    size = dict(width=1920, height=1080, fps=30, intrinsics=track.intrinsics)
    stream = MPMStream(lifter, keypoint_set="h36m_17", look_ahead=lifter.window // 2, **size)
    frames = [frame for row in range(FRAMES) for frame in stream.push(track.keypoints[row])] + stream.finish()
    np.testing.assert_allclose([frame.keypoints_3d for frame in frames], lifter.lift(track).keypoints_3d, atol=1e-5)
    assert all(frame.masked[list(IGNORED)].all() for frame in frames)


def test_maskings_mask_a_share_of_what_the_model_looks_at(model, monkeypatch):
    shown = []
    lifter = TrackLifter(model, fps=30, maskings=2, flip_test=False)
    whole = lifter._lift
    monkeypatch.setattr(
        lifter,
        "_lift",
        lambda track, frames, masked, report: shown.append(masked) or whole(track, frames, masked, report),
    )
    lifter.lift(make_track())
    looked_at = np.delete(np.arange(17), IGNORED)
    assert [masked[:, looked_at].sum(1).tolist() for masked in shown[1:]] == [[4] * FRAMES] * 2  # 30 % of 12
