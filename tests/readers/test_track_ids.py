from pathlib import Path

import numpy as np

from mpm_mmpose.readers.detections import DetectionRows, Detections
from mpm_mmpose.readers.track_ids import settle_ids

BODY = np.random.default_rng(0).uniform(0, 1, (17, 2)) * (40, 100)


def people(*rows):
    """Detections of (frame, x px, id) each."""
    frames, places, ids = zip(*rows, strict=True)
    keypoints = np.stack([BODY + (x, 50) for x in places]).astype(np.float32)
    boxes = np.full((len(rows), 4), np.nan, np.float32)
    scores = np.ones((len(rows), 17), np.float32)
    return Detections(
        "walk", Path("walk.json"), "coco_17", np.array(frames), keypoints, scores, boxes, np.array(ids, np.int64)
    )


def two(frames, change=()):
    """Ids 5 at 0 px and 9 at 300 px; change: {(frame, place): id}."""
    change = dict(change)
    return people(*[(f, 300 * p + f, change.get((f, p), (5, 9)[p])) for f in range(frames) for p in range(2)])


def test_good_ids_stay():
    detections = two(6)
    assert settle_ids(detections) is detections


def test_one_id_twice_in_one_frame_leaves_all_others_alone():
    settled = settle_ids(two(60, {(30, 1): 5}))
    assert settled.tracks.tolist() == [5, 9] * 60
    (note,) = settled.notes
    assert note == (
        "2 of 120 detections have no id, or one that is twice in a frame: 2 got the id of the person they overlap, 0 a "
        "new one"
    )


def test_a_person_who_is_there_twice_gets_a_new_id_for_the_second():
    rows = [(f, 300 * p + f, (5, 9)[p]) for f in range(10) for p in range(2)] + [(4, 8, 5)]
    settled = settle_ids(people(*rows))
    assert settled.tracks.tolist() == [5, 9] * 10 + [10]
    assert settled.tracks[8] == 5  # the one that overlaps more


def test_those_without_an_id_join_whom_they_overlap_or_each_other():
    settled = settle_ids(two(6, {(0, 0): -1, (3, 0): -1, (5, 1): -1}))
    assert settled.tracks.tolist() == [5, 9] * 6
    third = [(f, 300 * p + f, (5, 9)[p]) for f in range(5) for p in range(2)] + [(f, 600 + f, -1) for f in range(5)]
    assert settle_ids(people(*third)).tracks.tolist() == [5, 9] * 5 + [10] * 5


def test_ids_that_are_the_same_for_all_are_left_out():
    settled = settle_ids(two(6, {(f, 1): 5 for f in range(6)}))
    assert settled.tracks is None and "the same id: its ids are not used" in settled.notes[0]


def rows_of(*ids):
    rows = DetectionRows("walk", Path("walk.json"))
    for frame, identity in enumerate(ids):
        rows.add(f"frame {frame}", frame, BODY + 10, np.ones(17), track=identity)
    return rows.finish()


def test_names_are_numbers_after_the_others():
    found = rows_of("Anna", 3, "Bo", "Anna", None)
    assert found.tracks.tolist() == [4, 3, 5, 4, -1] and found.track_names == {4: "Anna", 5: "Bo"}
    assert rows_of(None, -1, "").tracks is None


def test_scores_in_per_cent_are_noticed():
    rows = DetectionRows("walk", Path("walk.json"))
    rows.add("a", 0, BODY + 10, np.r_[np.full(16, 90.0), 5.0])
    found = rows.finish()
    np.testing.assert_allclose(found.scores[0], np.r_[np.full(16, 0.9), 0.05], rtol=1e-6)
    assert found.notes == ["scores reach 90: they are taken for per cent"]
    rows = DetectionRows("walk", Path("walk.json"))
    rows.add("a", 0, BODY + 10, np.full(17, 6.0))  # AlphaPose's reach that
    assert rows.finish().scores.max() == 6 and not rows.finish().notes
