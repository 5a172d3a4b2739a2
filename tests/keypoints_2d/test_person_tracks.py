import re
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mpm_mmpose.pose.keypoints import H36M_17, get_keypoint_set
from mpm_mmpose.readers.boxes import keypoint_boxes
from mpm_mmpose.readers.detections import Detections
from mpm_mmpose.readers.keypoints_2d import read_keypoints_2d
from mpm_mmpose.readers.person_tracks import image_size, stated_size_fits, track_sequences

SIZE = dict(width=1000, height=500)


@pytest.fixture
def detections(layouts):
    """Function: two people in frames 1 to 12, without the (frame, person) pairs of ``absent``."""

    def make(keypoint_set="coco_17", absent=(), track=True, frame_step=1, boxes=True):
        keypoints, scores = layouts.make_people(len(get_keypoint_set(keypoint_set)))
        # The second person comes first in odd frames: order says nothing about who is who.
        rows = [(f, p) for f in range(12) for p in ((0, 1), (1, 0))[f % 2] if (f, p) not in absent]
        frames, people = np.array(rows).T
        poses = keypoints[people, frames].astype(np.float32)
        return Detections(
            name="walk",
            path=Path("folder/walk.json"),
            keypoint_set=keypoint_set,
            frames=frames * frame_step + 1,
            keypoints=poses,
            scores=scores[people, frames].astype(np.float32),
            boxes=np.array([layouts.box_of(pose) if boxes else [np.nan] * 4 for pose in poses], np.float32),
            tracks=people if track else None,
        )

    return make


@pytest.mark.parametrize("track", [True, False])
@pytest.mark.parametrize("boxes", [True, False])
@pytest.mark.parametrize("keypoint_set", ["coco_17", "halpe_26", "body_25"])
def test_values(detections, layouts, keypoint_set, track, boxes):
    sequences, too_short = track_sequences(detections(keypoint_set, track=track, boxes=boxes), fps=25, **SIZE)
    assert [s.name for s in sequences] == ["walk.person0.1", "walk.person1.1"] and too_short == 0
    names = get_keypoint_set(keypoint_set).names
    for sequence, poses, scores in zip(sequences, *layouts.make_people(len(names)), strict=True):
        there = {name: (poses[:, i], scores[:, i]) for i, name in enumerate(names)}
        for middle, part in (("pelvis", "hip"), ("thorax", "shoulder")):
            (left, left_score), (right, right_score) = there[f"left_{part}"], there[f"right_{part}"]
            there.setdefault(middle, ((left + right) / 2, np.minimum(left_score, right_score)))
        for name in ("pelvis", "thorax", "nose", "left_knee", "right_ankle", "left_elbow", "right_wrist"):
            index = H36M_17.index(name)
            np.testing.assert_allclose(sequence.keypoints[:, index], there[name][0], rtol=1e-5)
            np.testing.assert_allclose(sequence.keypoint_scores[:, index], there[name][1], rtol=1e-5)
        assert (sequence.width, sequence.height, sequence.fps) == (1000, 500, 25)
        assert (sequence.action, sequence.source, sequence.keypoint_set) == ("walk", "walk.json", "h36m_17")
        assert sequence.subject == sequence.name.removesuffix(".1") and sequence.keypoints_3d is None


@pytest.mark.parametrize("frame_step", [1, 3])
def test_gaps(detections, layouts, frame_step):
    """Out of sight in frame index 3, 7 and 8: three sequences, whose first frames say where the gaps are."""
    found = detections(absent=[(3, 0), (7, 0), (8, 0)], frame_step=frame_step)
    sequences, too_short = track_sequences(found, fps=25, **SIZE)
    starts = [0, 4, 9]
    names = [f"walk.person0.{start * frame_step + 1}" for start in starts] + ["walk.person1.1"]
    assert [s.name for s in sequences] == names and too_short == 0
    assert [len(s) for s in sequences] == [3, 3, 3, 12]
    wrist = layouts.make_people(17)[0][0, :, get_keypoint_set("coco_17").index("left_wrist")]
    for sequence, start in zip(sequences, starts, strict=False):
        given = sequence.keypoints[:, H36M_17.index("left_wrist")]
        np.testing.assert_allclose(given, wrist[start : start + 3], rtol=1e-5)
    sequences, too_short = track_sequences(found, fps=25, min_frames=4, **SIZE)
    assert [s.name for s in sequences] == ["walk.person1.1"] and too_short == 3


def test_everybody_out_of_sight_is_a_gap_too(detections):
    sequences, _ = track_sequences(detections(absent=[(5, 0), (5, 1)]), fps=25, **SIZE)
    assert [(s.name, len(s)) for s in sequences] == [
        ("walk.person0.1", 5),
        ("walk.person0.7", 6),
        ("walk.person1.1", 5),
        ("walk.person1.7", 6),
    ]


@given(arrays(bool, (12, 2)), st.integers(1, 4))
@settings(max_examples=50, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_gaps(detections, layouts, there, min_frames):
    """With ids: the runs of frames of each person, as a loop finds them."""
    there[:2] = True  # or the frames that are left may have another step
    runs = []
    for person in range(2):
        for present, run in groupby(range(12), key=lambda frame: there[frame, person]):
            frames = list(run)
            if present:
                runs.append((person, frames[0] + 1, len(frames)))
    expected = [(f"walk.person{person}.{start}", number) for person, start, number in runs if number >= min_frames]
    found = detections(absent=[tuple(pair) for pair in np.argwhere(~there)])
    sequences, too_short = track_sequences(found, fps=25, min_frames=min_frames, **SIZE)
    assert [(s.name, len(s)) for s in sequences] == expected and too_short == len(runs) - len(expected)


def test_people_without_ids_are_tracked(detections):
    """By the tracker of videos: a short miss ends a sequence, and not the person."""
    found = detections(absent=[(0, 1), (6, 0)], track=False)
    sequences, _ = track_sequences(found, fps=25, **SIZE)
    assert sorted(one.name for one in sequences) == ["walk.person0.1", "walk.person0.8", "walk.person1.2"]
    assert sorted(len(one) for one in sequences) == [5, 6, 11]
    assert sorted({one.subject for one in sequences}) == ["walk.person0", "walk.person1"]


def test_boxes_hold_what_was_found():
    keypoints = np.array([[[1.0, 2], [5, 7], [3, 9], [99, -99]]])
    np.testing.assert_array_equal(keypoint_boxes(keypoints, np.array([[1, 0.5, 0.1, 0]])), [[1, 2, 5, 9]])


def test_keypoints_that_were_not_found(detections):
    found = detections(absent=[(f, 1) for f in range(12)])
    whole = track_sequences(found, fps=25, **SIZE)[0][0]
    coco, scores, keypoints = get_keypoint_set("coco_17"), found.scores.copy(), found.keypoints.copy()
    for name, frames in (("left_wrist", slice(4, 7)), ("left_knee", slice(9, None)), ("right_ankle", slice(None))):
        scores[frames, coco.index(name)], keypoints[frames, coco.index(name)] = 0, 0
    (sequence,) = track_sequences(replace(found, scores=scores, keypoints=keypoints), fps=25, **SIZE)[0]
    wrist, knee, ankle = (H36M_17.index(name) for name in ("left_wrist", "left_knee", "right_ankle"))
    # In a straight line between, as everybody goes; at the last place; in the middle of the others.
    np.testing.assert_allclose(sequence.keypoints[:, wrist], whole.keypoints[:, wrist], rtol=1e-5)
    np.testing.assert_array_equal(sequence.keypoints[9:, knee], whole.keypoints[[8] * 3, knee])
    others = np.delete(sequence.keypoints, ankle, axis=1).mean(1)
    np.testing.assert_allclose(sequence.keypoints[:, ankle], others, rtol=1e-5)
    expected = whole.keypoint_scores.copy()
    expected[4:7, wrist] = expected[9:, knee] = expected[:, ankle] = 0
    np.testing.assert_array_equal(sequence.keypoint_scores, expected)


def test_size_of_the_image(detections):
    with pytest.raises(ValueError, match="folder/walk.json: does not say how large the image is; give width and"):
        track_sequences(detections(), fps=25)
    with pytest.raises(ValueError, match="walk.json: .*% of the keypoints of 'walk' are in the image of 320 x 240 px"):
        track_sequences(detections(), fps=25, width=320, height=240)
    stated = replace(detections(), width=1280, height=720)
    (sequence, _), _ = track_sequences(stated, fps=25)
    assert (sequence.width, sequence.height) == (1280, 720)
    (sequence, _), _ = track_sequences(stated, fps=25, width=1000, height=500)
    assert (sequence.width, sequence.height) == (1000, 500)
    with pytest.raises(ValueError, match="in the image of 240 x 320 px that the file says; give the width and height"):
        track_sequences(replace(detections(), width=240, height=320), fps=25)


def spread_over(width, height):
    """Detections whose keypoints are evenly spread over an image."""
    grid = np.stack(np.meshgrid(np.linspace(0, width, 17), np.linspace(0, height, 20)), -1).astype(np.float32)
    nothing = np.full((20, 4), np.nan, np.float32)
    return Detections("walk", Path("walk.json"), "coco_17", np.arange(20), grid, np.ones((20, 17)), nothing, None)


@pytest.mark.parametrize(
    ("size", "note"),
    [
        ((600, 1000), ""),
        ((590, 1000), "6% of the keypoints are outside of the image of 590 x 1000 px that the file says; if that is"),
        ((1000, 650), r"35% of the keypoints are outside of the image of 1000 x 650 px .*\(650 x 1000 px fits\); if"),
    ],
)
def test_a_size_that_hardly_can_be_is_said(size, note):
    stated = replace(spread_over(600, 1000), width=size[0], height=size[1])
    *found, notes = image_size(stated, 0, 0)
    assert found == [*size] and bool(notes) == bool(note) == (not stated_size_fits(stated))
    assert not note or re.search(note, notes[0])
    assert image_size(stated, 600, 1000)[:2] == (600, 1000)
    if note:
        assert "the file says" in image_size(stated, 600, 1000)[2][0]


def test_exchanged_width_and_height_are_an_error_where_most_is_outside():
    message = r"40% of .* 1000 x 400 px that were given \(400 x 1000 px fits\); give the width"
    with pytest.raises(ValueError, match=message):
        image_size(spread_over(400, 1000), 1000, 400)


def test_a_track_twice_in_a_frame(detections):
    with pytest.raises(ValueError, match="walk.json: track id 7 occurs twice in frame 1; give each person an id"):
        track_sequences(replace(detections(), tracks=np.full(24, 7)), fps=25, **SIZE)


def test_keypoints_of_human36m_stay_as_they_are(write, layouts):
    """Two files of 17 keypoints: one says what they are, for the other the caller says it."""
    for content, told in ((layouts.mmpose_demo("h36m"), "auto"), (layouts.coco_results(), "h36m_17")):
        (found,) = read_keypoints_2d(write(content), keypoint_set=told)
        sequences, _ = track_sequences(found, fps=25, **SIZE)
        for sequence, poses, scores in zip(sequences, *layouts.make_people(17), strict=True):
            np.testing.assert_allclose(sequence.keypoints, poses, rtol=1e-6)
            np.testing.assert_allclose(sequence.keypoint_scores, scores, rtol=1e-6)
