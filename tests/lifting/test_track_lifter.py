import logging
import tracemalloc

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseSequence, PoseWindowDataset, write_store
from mpm_mmpose.data.chunk_dataset import PoseChunkDataset
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.lifting.tracks import Track2D
from mpm_mmpose.masking import spatio_temporal_masks, stream_generator
from mpm_mmpose.pose.keypoints import H36M_17
from studies.quickstart.synthetic_motion import generate_motion

T, K, FPS = 9, 17, 50.0
WIDTH = dict(num_frames=T, channels=32, hidden_channels=48, num_heads=4)


def build_model(mask_tokens=True, head=None, test_cfg=None):
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type="PoseLifter",
            backbone=dict(type="MPMBackbone", depth=1, inputs=("2d",), mask_tokens=mask_tokens, **WIDTH),
            head=dict(type="LiftingHead", strides=(3, 3), **WIDTH) if head is None else head,
            data_preprocessor=MODELS.build(dict(type="LiftingPreprocessor")),
            test_cfg=test_cfg or {},
        )
    )
    for parameter in model.parameters():  # far from where training begins, so that every path counts
        torch.nn.init.normal_(parameter, std=0.2)
    return model.eval()


def make_track(frames=30, fps=FPS, seed=0, **changes):
    random = np.random.default_rng(seed)
    fields = dict(
        person="7",
        times=np.arange(frames) / fps,
        keypoints=random.uniform(0, 900, (frames, K, 2)),
        scores=random.uniform(0.5, 1, (frames, K)),
        keypoint_set="h36m_17",
        width=1000,
        height=900,
        fps=fps,
    )
    return Track2D(**(fields | changes))


@pytest.fixture
def said(monkeypatch):
    """The warnings."""
    texts = []
    monkeypatch.setattr(logging.getLogger("mpm_mmpose"), "warning", texts.append)
    return texts


def evaluate(model, track, path, output="target", frame_step=1):
    """The same keypoints the way a checkpoint is tested: store, windows, preprocessor, PoseLifter.test_step."""
    poses = np.random.default_rng(1).normal(size=(len(track), K, 3))
    sequence = PoseSequence(
        "clip", poses, track.keypoints, width=track.width, height=track.height, fps=track.fps, intrinsics=np.ones(9)
    )
    write_store(path, [sequence])
    if output == "target":
        windows = PoseWindowDataset(path, T, frame_step)
    else:
        windows = PoseChunkDataset(path, T)
    batch = windows.__getitems__(range(len(windows)))
    with torch.no_grad():
        (sample,) = model.test_step(batch)
    return sample.pred_instances.keypoints.numpy().reshape(-1, K, 3)[: len(track)]


@pytest.mark.parametrize("frames", [3, 30])
@pytest.mark.parametrize(
    ("flip_test", "frame_step", "mask_tokens"), [(True, 1, True), (False, 2, True), (True, 1, False)]
)
def test_exact_is_the_evaluation(tmp_path, frames, flip_test, frame_step, mask_tokens):
    model = build_model(mask_tokens, test_cfg=dict(flip_test=flip_test))
    track = make_track(frames)
    lifter = TrackLifter(model, fps=FPS, frame_step=frame_step, flip_test=flip_test, batch_size=7)
    lifted = lifter.lift(track)
    expected = evaluate(model, track, tmp_path / "store", frame_step=frame_step)
    assert np.abs(lifted.keypoints_3d - expected).max() < 1e-5
    assert np.ptp(expected[:, 5], axis=0).min() > 5e-4  # the model does not say the same of everything
    assert not lifted.masked.any() and lifted.spread is None


def test_the_completion_head_lifts_as_in_its_evaluation(tmp_path):
    head = dict(type="CompletionHead", num_frames=T, channels=32, hidden_channels=48, num_heads=4)
    model = build_model(head=head, test_cfg=dict(flip_test=True))
    track = make_track(12)
    lifted = TrackLifter(model, fps=FPS).lift(track).keypoints_3d
    assert np.abs(lifted - evaluate(model, track, tmp_path / "store")).max() < 1e-5


def test_a_frame_depends_on_frames_after_it():
    lifter, track = TrackLifter(build_model(), fps=FPS), make_track()
    keypoints = track.keypoints.copy()
    keypoints[14] = 900 - keypoints[14]
    change = np.abs(lifter.lift(make_track(keypoints=keypoints)).keypoints_3d - lifter.lift(track).keypoints_3d)
    changed = (change.max((1, 2)) > 1e-5).nonzero()[0]
    assert changed.tolist() == list(range(14 - T // 2, 14 + T // 2 + 1))


@pytest.mark.parametrize("frames", [4, 9])
def test_blended_is_the_sequence_output_where_one_window_covers(tmp_path, frames):
    model = build_model(test_cfg=dict(output="sequence"))
    track = make_track(frames)
    lifted = TrackLifter(model, fps=FPS, mode="blended", flip_test=False).lift(track).keypoints_3d
    assert np.abs(lifted - evaluate(model, track, tmp_path / "store", "sequence")).max() < 1e-5


@pytest.mark.parametrize(("frames", "frame_step"), [(1, 1), (10, 1), (31, 1), (31, 2), (3, 4)])
def test_blended_is_the_weighted_mean_of_all_windows_that_cover_a_frame(frames, frame_step):
    model = build_model()
    lifter = TrackLifter(model, fps=FPS, frame_step=frame_step, mode="blended", flip_test=False, batch_size=2)
    track = make_track(frames)
    shown = np.stack([track.keypoints[..., 0] / 500 - 1, track.keypoints[..., 1] / 500 - 0.9], -1)
    weight = np.sin(np.pi * (np.arange(T) + 0.5) / T) ** 2
    total, weights = np.zeros((frames, K, 3)), np.zeros(frames)
    for phase in range(min(frame_step, frames)):
        own = np.arange(phase, frames, frame_step)
        starts = [0] if len(own) <= T else sorted({*range(0, len(own) - T, T // 2), len(own) - T})
        for start in starts:
            index = [phase + (start + i) * frame_step for i in range(T)]
            window = torch.tensor(shown[np.minimum(index, frames - 1)], dtype=torch.float32)[None]
            with torch.no_grad():
                found = model.head.forward_sequence(model.backbone(window))[0].numpy()
            found[:, 0] = 0  # the root
            for w, frame, pose in zip(weight, index, found, strict=True):
                if frame < frames:
                    total[frame] += w * pose
                    weights[frame] += w
    assert (weights > 0).all()
    np.testing.assert_allclose(lifter.lift(track).keypoints_3d, total / weights[:, None, None], atol=1e-5)


def test_what_is_masked_does_not_matter_and_its_token_does():
    lifter = TrackLifter(build_model(), fps=FPS)
    track = make_track()
    scores = track.scores.copy()
    scores[10:14, 3] = 0.29
    scores[20] = 0.0
    keypoints = track.keypoints.copy()
    keypoints[25, 6] = (1001, 500)  # out of the picture
    one = lifter.lift(make_track(keypoints=keypoints, scores=scores))
    expected = np.zeros((30, K), bool)
    expected[10:14, 3] = expected[20] = expected[25, 6] = True
    np.testing.assert_array_equal(one.masked, expected)
    keypoints[expected] = np.nan, 3
    scores[expected] = 0
    other = lifter.lift(make_track(keypoints=keypoints, scores=scores))
    np.testing.assert_array_equal(one.keypoints_3d, other.keypoints_3d)
    assert np.isfinite(one.keypoints_3d).all()

    token = torch.tensor([0.3, -0.2])  # where the token stands, so must the keypoint
    with torch.no_grad():
        lifter.model.model.backbone.keypoint_token_2d.copy_(token)
    shown = track.keypoints.copy()
    shown[expected] = (token.numpy() + [1, 0.9]) * 500
    told = TrackLifter(lifter.model.model, fps=FPS, flip_test=False, threshold=0.1)
    masked = TrackLifter(lifter.model.model, fps=FPS, flip_test=False).lift(make_track(scores=scores))
    keypoints_3d = told.lift(make_track(keypoints=shown)).keypoints_3d
    for frame in (10, 20):
        np.testing.assert_allclose(masked.keypoints_3d[frame], keypoints_3d[frame], atol=1e-5)


def test_missing_frames_are_masked_frames():
    lifter, track = TrackLifter(build_model(), fps=FPS), make_track()
    scores = track.scores.copy()
    scores[12:15] = 0
    there = np.delete(np.arange(30), [12, 13, 14])
    left_out = make_track(times=track.times[there], keypoints=track.keypoints[there], scores=track.scores[there])
    empty = lifter.lift(make_track(scores=scores))
    np.testing.assert_allclose(lifter.lift(left_out).keypoints_3d, empty.keypoints_3d[there], atol=1e-5)
    assert np.isfinite(empty.keypoints_3d).all() and empty.masked[12:15].all()


def test_beyond_half_a_window_from_any_sight_nothing_is_made_up():
    lifter, track = TrackLifter(build_model(), fps=FPS), make_track(60)
    scores = track.scores.copy()
    scores[20:40] = 0  # T // 2 = 4 frames are within reach
    lifted = lifter.lift(make_track(60, scores=scores))
    known = np.isfinite(lifted.keypoints_3d).all((1, 2))
    assert known.nonzero()[0].tolist() == [*range(24), *range(36, 60)]
    # Frames at both sides are lifted as if there were two tracks.
    alone = lifter.lift(make_track(24, keypoints=track.keypoints[:24], scores=scores[:24]))
    np.testing.assert_allclose(lifted.keypoints_3d[:24], alone.keypoints_3d, atol=1e-6)


def test_without_mask_tokens_a_guess_is_shown_and_said_once(said):
    lifter, track = TrackLifter(build_model(mask_tokens=False), fps=FPS, flip_test=False), make_track()
    scores, keypoints = track.scores.copy(), track.keypoints.copy()
    scores[10:13, 3] = 0
    keypoints[10:13, 3] = np.linspace(keypoints[9, 3], keypoints[13, 3], 5)[1:-1]
    guessed = lifter.lift(make_track(scores=scores))
    lifter.lift(make_track(scores=scores))
    assert len(said) == 1 and "person 7" in said[0] and "mask_tokens=False" in said[0]
    np.testing.assert_allclose(
        guessed.keypoints_3d, lifter.lift(make_track(keypoints=keypoints)).keypoints_3d, atol=1e-5
    )
    assert guessed.masked[10:13, 3].all() and guessed.masked.sum() == 3


def test_spread_is_the_distance_that_maskings_move_keypoints():
    model, track = build_model(), make_track()
    one, two = (TrackLifter(model, fps=FPS, maskings=2, seed=seed).lift(track) for seed in (1, 1))
    np.testing.assert_array_equal(one.spread, two.spread)
    plain = TrackLifter(model, fps=FPS).lift(track)
    np.testing.assert_array_equal(one.keypoints_3d, plain.keypoints_3d)
    squares = []
    for masking in range(2):
        generator = stream_generator("cpu", 1, 0, masking)
        masks = spatio_temporal_masks(1, 30, K, generator=generator, masked_keypoints=5, frame_ratio=0.0)
        scores = np.where(masks.keypoint_mask[0], 0, track.scores)
        masked = TrackLifter(model, fps=FPS).lift(make_track(scores=scores))
        squares.append(((masked.keypoints_3d - plain.keypoints_3d) ** 2).sum(-1))
    np.testing.assert_allclose(one.spread, np.sqrt(np.mean(squares, 0)), atol=1e-5)
    other = TrackLifter(model, fps=FPS, maskings=2, seed=2).lift(track)
    assert np.abs(one.spread - other.spread).max() > 1e-4
    assert one.spread.shape == (30, K) and (one.spread[:, 1:] > 0).all()
    assert not one.spread[:, 0].any()  # the root stays where it is
    # Where nothing is left to mask, masking more moves nothing.
    with torch.no_grad():
        model.backbone.keypoint_token_2d.zero_()
    middle = np.broadcast_to([500.0, 450.0], (30, K, 2))
    assert TrackLifter(model, fps=FPS, maskings=3).lift(make_track(keypoints=middle)).spread.max() < 1e-6


@pytest.mark.parametrize("mode", ["exact", "blended"])
def test_no_more_than_a_batch_of_windows_is_alive(mode):
    model = build_model()
    sizes = []
    model.backbone.register_forward_pre_hook(lambda module, inputs: sizes.append(len(inputs[0])))
    TrackLifter(model, fps=FPS, mode=mode, batch_size=5, flip_test=False).lift(make_track(60))
    assert max(sizes) == 5
    assert sum(sizes) == {"exact": 60, "blended": len(range(0, 60 - T, T // 2)) + 1}[mode]


def test_memory_grows_with_the_keypoints_and_not_with_the_windows():
    model = build_model()
    model.backbone.forward = lambda poses: poses.new_zeros(len(poses), T, 32)  # as if the network cost nothing

    def peak(frames):
        track = make_track(frames)
        lifter = TrackLifter(model, fps=FPS, batch_size=16, flip_test=False)
        lifter.lift(make_track(9))
        tracemalloc.start()
        lifter.lift(track)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    short, long = peak(100), peak(1100)
    windows = 1000 * T * K * 2 * 4  # bytes that all windows at once would take
    assert long - short < windows
    assert long - short < 1000 * K * 120  # bytes a keypoint: a few copies of 2D and 3D


def test_progress_counts_windows():
    calls = []
    lifter = TrackLifter(build_model(), fps=FPS, batch_size=8, maskings=1)
    lifter.lift(make_track(20), lambda done, total: calls.append((done, total)))
    assert calls == [(done, 40) for done in (8, 16, 20, 28, 36, 40)]


def test_other_keypoints_are_mapped_and_what_lacks_is_masked():
    lifter = TrackLifter(build_model(), fps=FPS)
    random = np.random.default_rng(0)
    scores = np.ones((12, K))
    scores[3, 11] = 0  # COCO's left hip: of it is made the pelvis
    lifted = lifter.lift(
        make_track(12, keypoint_set="coco_17", keypoints=random.uniform(0, 900, (12, K, 2)), scores=scores)
    )
    assert lifted.keypoint_set == "h36m_17"
    lacks = [H36M_17.index(name) for name in ("spine", "thorax", "head_top")]
    assert lifted.masked[:, lacks].all()  # nothing stands in for them
    assert np.argwhere(np.delete(lifted.masked, lacks, axis=1)).tolist() == [[3, 0], [3, 4]]
    common = random.uniform(0, 900, (12, 16, 2))
    lifted = lifter.lift(make_track(12, keypoint_set="common_16", keypoints=common, scores=np.ones((12, 16))))
    assert lifted.masked.all(0).nonzero()[0].tolist() == [9]  # Human3.6M's nose


def test_the_rate_is_that_of_the_model_or_else_of_the_track():
    model = build_model()
    assert TrackLifter(model).rate(25.0) == 25.0 and TrackLifter(model).frame_step == 1
    model.dataset_meta = dict(fps=30.0, keypoint_set="h36m_17")
    model.cfg = Config(dict(test_dataloader=dict(dataset=dict(frame_step=2))))
    assert TrackLifter(model).rate(25.0) == 30.0 and TrackLifter(model).frame_step == 2
    assert TrackLifter(model).reach(25.0) == pytest.approx(4 * 2 / 30)
    assert TrackLifter(model, fps=50.0, frame_step=1).rate(25.0) == 50.0
    model.dataset_meta = dict(fps=None)  # of stores that differ
    assert TrackLifter(model).rate(25.0) == 25.0


def test_a_video_of_another_rate_is_shown_at_the_models_rate():
    windows = []
    model = build_model()
    model.backbone.register_forward_pre_hook(lambda module, inputs: windows.append(inputs[0].clone()))
    times = np.arange(25) / 25.0
    keypoints = np.repeat(100 + 300 * times[:, None, None], K, 1) + [0.0, 50.0]  # 300 px a second
    lifted = TrackLifter(model, fps=50.0, flip_test=False).lift(make_track(25, fps=25.0, keypoints=keypoints))
    steps = torch.cat(windows)[20, :, 0, 0].diff() * 500
    np.testing.assert_allclose(steps, 300 / 50, atol=1e-3)
    assert lifted.keypoints_3d.shape == (25, K, 3) and len(torch.cat(windows)) == 49


def test_masked_is_said_of_the_frame_that_is_nearest_in_time():
    scores = np.ones((12, K))
    scores[1, 3] = scores[11, 5] = 0
    lifted = TrackLifter(build_model(), fps=50.0).lift(make_track(12, fps=60.0, scores=scores))
    assert np.argwhere(lifted.masked).tolist() == [[1, 3], [11, 5]]


def test_versions_of_one_motion_at_other_rates_give_the_same_3d():
    (film_of,) = project_views(generate_motion("walking", 3.0, 600.0, seed=3), cameras=1)
    # Without training, a decoder that carries frame 0 sees more of the motion than one that carries the target.
    model = build_model(head=dict(type="LiftingHead", strides=(3, 3), align="first", **WIDTH))

    def lift(fps):
        shown = film_of.keypoints[:: 600 // fps]
        track = make_track(len(shown), fps, keypoints=shown, width=film_of.width, height=film_of.height)
        return TrackLifter(model, fps=FPS).lift(track).keypoints_3d[:: fps // 5]  # at 0, 0.2, 0.4 s ...

    expected = lift(50)
    moves = np.abs(expected - expected.mean(0)).mean()
    for fps in (25, 30, 60, 120):
        difference = np.abs(lift(fps) - expected)
        # Of a person who moves by 200 mm, these are 4 mm and 0.2 mm.
        assert difference.max() < 0.02 * moves and difference.mean() < 0.001 * moves
    # Shown frame by frame without regard to time, it is another motion.
    track = make_track(75, 25.0, keypoints=film_of.keypoints[::24], width=film_of.width, height=film_of.height)
    unaware = TrackLifter(model, fps=25.0).lift(track).keypoints_3d[::5]
    assert np.abs(unaware - expected).mean() > 0.1 * moves


def test_refined_heads_take_the_camera_of_the_track():
    head = dict(type="RefinedLiftingHead", strides=(3, 3), root_depth="fitted", refine_channels=16, **WIDTH)
    intrinsics = np.array([1000, 1000, 500, 450, 0, 0, 0, 0, 0], np.float32)
    lifter = TrackLifter(build_model(head=head), fps=FPS)
    lifted = lifter.lift(make_track(intrinsics=intrinsics)).keypoints_3d
    nearer = lifter.lift(make_track(intrinsics=intrinsics * [2, 2, 1, 1, 1, 1, 1, 1, 1])).keypoints_3d
    assert np.isfinite(lifted).all() and np.abs(lifted - nearer).max() > 1e-3
    with pytest.raises(ValueError, match="give the track's intrinsics"):
        lifter.lift(make_track())
    with pytest.raises(ValueError, match="root_depth='fitted'"):
        TrackLifter(build_model(head=head | dict(root_depth="true")))


def test_wrong_arguments_are_named():
    model = build_model()
    for match, change in {
        "mode is 'fast'": dict(mode="fast"),
        "fps is -1": dict(fps=-1),
        "maskings is -1": dict(maskings=-1),
        "has 17 keypoints, common_16 has 16": dict(keypoint_set="common_16"),
    }.items():
        with pytest.raises(ValueError, match=match):
            TrackLifter(model, **change)
    with pytest.raises(ValueError, match="no mask tokens to mask keypoints with"):
        TrackLifter(build_model(mask_tokens=False), maskings=1)
    with pytest.raises(ValueError, match="give a PoseLifter with an MPMBackbone"):
        TrackLifter(torch.nn.Linear(1, 1))
    model.dataset_meta = dict(keypoint_set="common_16")
    with pytest.raises(ValueError, match="give keypoint_set='common_16'"):
        TrackLifter(model)


def test_nobody_to_be_believed_is_said():
    with pytest.raises(ValueError, match=r"person 7: no keypoint of 30 frames .* best score is 0.20"):
        TrackLifter(build_model()).lift(make_track(scores=np.full((30, K), 0.2)))


@pytest.mark.parametrize("frames", [1, 2])
def test_who_is_seen_for_a_moment_is_lifted_from_that_and_it_is_said(tmp_path, frames, said):
    model, track = build_model(test_cfg=dict(flip_test=True)), make_track(frames)
    lifted = TrackLifter(model).lift(track).keypoints_3d
    if frames == 2:
        assert np.abs(lifted - evaluate(model, track, tmp_path / "store")).max() < 1e-5
    assert len(said) == 1 and said[0].startswith(f"person 7: there are {frames} frames, this model looks at 9")
    twice = make_track(2, keypoints=np.repeat(track.keypoints[:1], 2, 0))
    assert np.isfinite(lifted).all()
    if frames == 1:
        np.testing.assert_allclose(lifted[0], TrackLifter(model).lift(twice).keypoints_3d[0], atol=1e-6)
