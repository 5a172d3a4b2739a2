import json

import numpy as np
import pytest

from mpm_mmpose.apis.sources import is_keypoint_source, read_recordings
from mpm_mmpose.data import PoseSequence, write_store
from mpm_mmpose.errors import UsageError

BODY = np.random.default_rng(0).uniform(0, 200, (17, 2)) + 100


def coco_people(frames=12, masked=(), track=False):
    """COCO results of two people, the second 300 px to the right; everybody goes 3 px a frame."""
    people = []
    for frame in range(frames):
        for person in range(2):
            if (frame, person) not in masked:
                keypoints = BODY + (300 * person + 3 * frame, frame)
                flat = np.concatenate((keypoints, np.full((17, 1), 0.5)), 1).ravel().tolist()
                record = dict(image_id=5 + 2 * frame, category_id=1, keypoints=flat, score=0.9)
                people.append(record | (dict(track_id=7 + person) if track else {}))
    return people


def write(path, content):
    path.write_text(json.dumps(content))
    return path


OPTIONS = dict(fps=25.0, width=1000, height=800)


@pytest.mark.parametrize("track", [True, False])
def test_people_keep_their_id_over_a_gap_and_their_own_times(tmp_path, track):
    gap = [(frame, 0) for frame in range(4, 9)]
    path = write(tmp_path / "walk.json", coco_people(masked=gap, track=track))
    (recording,) = read_recordings(path, **OPTIONS)
    first, second = recording.tracks
    assert [first.person, second.person] == (["7", "8"] if track else ["0", "1"])
    # Every second frame of the video was detected, from number 5 on; 25 numbers are a second, and 1 is the first.
    np.testing.assert_allclose(first.times, (np.array([0, 1, 2, 3, 9, 10, 11]) * 2 + 4) / 25)
    np.testing.assert_allclose(second.times, (np.arange(12) * 2 + 4) / 25)
    np.testing.assert_allclose(first.keypoints[4], BODY + (27, 9), atol=1e-3)
    assert (first.scores == 0.5).all() and first.keypoint_set == "coco_17"
    assert (first.width, first.height, first.fps) == (1000, 800, 12.5)
    np.testing.assert_allclose(recording.times, np.arange(14) / 12.5)
    np.testing.assert_array_equal(recording.frames_of(first), [2, 3, 4, 5, 11, 12, 13])


def test_what_a_file_does_not_say_is_asked_for(tmp_path):
    path = write(tmp_path / "walk.json", coco_people())
    with pytest.raises(UsageError, match=r"walk\.json: does not say how many frames a second it has; give fps.*--fps"):
        list(read_recordings(path, width=1000, height=800))
    with pytest.raises(UsageError, match=r"walk\.json: does not say how large the images were"):
        list(read_recordings(path, fps=25))
    with pytest.raises(UsageError, match="format 'coko' is not known; did you mean 'coco'?"):
        list(read_recordings(path, format="coko", **OPTIONS))
    with pytest.raises(UsageError, match=r"no\.json: does not exist"):
        list(read_recordings(tmp_path / "no.json", **OPTIONS))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda people: people[3].update(keypoints=[1.0, 2.0, 0.5] * 4), "has 4 keypoints, those before it 17"),
        (lambda people: people[3]["keypoints"].__setitem__(0, float("inf")), "holds NaN or infinity"),
        (lambda people: people[3].update(image_id=5 + 2 * 10**9), "frame numbers span .* number them one after"),
        (lambda people: [one.update(keypoints=[900.0 + one["image_id"], -2, 1] * 17) for one in people], "0% of the"),
    ],
)
def test_bad_files_are_told(tmp_path, edit, message):
    people = coco_people(track=True)
    edit(people)
    with pytest.raises(ValueError, match=rf"walk\.json: .*{message}"):
        list(read_recordings(write(tmp_path / "walk.json", people), **OPTIONS))


def test_other_keypoints_are_refused_with_what_is_read(tmp_path):
    people = [dict(image_id=0, keypoints=[100.0, 100.0, 1.0] * 21)]
    with pytest.raises(
        ValueError, match=r"hand\.json: has 21 keypoints per person; those known are 16, 17, 18, 25, 26"
    ):
        list(read_recordings(write(tmp_path / "hand.json", people), **OPTIONS))


def store_of(path, names=("walk", "wave")):
    rng = np.random.default_rng(0)
    sequences = []
    for name in names:
        poses = (rng.normal(0, 0.3, (4, 17, 3)) + (0, 0, 4)).astype(np.float32)
        intrinsics = np.array([1000, 1000, 500, 500, 0, 0, 0, 0, 0], np.float32)
        keypoints = 1000 * poses[..., :2] / poses[..., 2:] + 500
        sequences.append(PoseSequence(name, poses, keypoints, intrinsics=intrinsics, width=1000, height=1002, fps=50))
    write_store(path, sequences)
    return path


def test_a_store_has_the_ground_truth(tmp_path):
    path = store_of(tmp_path / "store")
    assert [recording.name for recording in read_recordings(path)] == ["walk", "wave"]
    (recording,) = read_recordings(path, sequence="wave")
    (track,) = recording.tracks
    assert (track.fps, track.width, track.height, recording.fps) == (50, 1000, 1002, 50)
    np.testing.assert_array_equal(track.intrinsics[:4], [1000, 1000, 500, 500])
    ground_truth = recording.ground_truth["0"]
    assert ground_truth.keypoint_set == "h36m_17" and not ground_truth.keypoints_3d[:, 0].any()
    with pytest.raises(UsageError, match="sequence 'wafe' is not known; did you mean 'wave'"):
        list(read_recordings(path, sequence="wafe"))


def test_an_array_with_nan_where_nothing_was_found():
    keypoints = np.repeat(BODY[None], 3, 0)
    keypoints[1, 4] = np.nan
    (recording,) = read_recordings(keypoints, keypoint_set="h36m_17", **OPTIONS)
    (track,) = recording.tracks
    assert track.scores[1, 4] == 0 and track.scores.sum() == 3 * 17 - 1
    with pytest.raises(UsageError, match="an array of keypoints needs fps, width, height and keypoint_set"):
        list(read_recordings(keypoints, **OPTIONS))
    with pytest.raises(UsageError, match=r"an array of shape \(3, 17\) holds no 2D keypoints"):
        list(read_recordings(keypoints[..., 0], **OPTIONS))


def test_keypoints_are_told_from_images(tmp_path):
    (tmp_path / "openpose").mkdir()
    (tmp_path / "openpose/walk_000000000000_keypoints.json").write_text("{}")
    (tmp_path / "images").mkdir()
    assert is_keypoint_source(tmp_path / "openpose") and is_keypoint_source(store_of(tmp_path / "store"))
    assert is_keypoint_source("a.json") and is_keypoint_source("a.npz") and is_keypoint_source(np.zeros((1, 17, 2)))
    assert not is_keypoint_source(tmp_path / "images") and not is_keypoint_source("a.mp4")
    assert not is_keypoint_source("webcam") and not is_keypoint_source(np.zeros((4, 4, 3), np.uint8))


def test_from_when_to_when_there_are_people_is_said(tmp_path):
    people = [person for person in coco_people(masked=[(0, 0), (0, 1), (5, 0), (5, 1)]) if person["image_id"] > 7]
    (recording,) = read_recordings(write(tmp_path / "walk.json", people), **OPTIONS)
    assert recording.span == "walk: people from frame 4 (0.32 s) to 13 (1.04 s), in 9 of all 14"


def test_all_that_is_missing_is_asked_for_at_once(tmp_path):
    path = write(tmp_path / "walk.json", coco_people())
    message = (
        r"walk\.json: does not say how many frames a second it has and how large the images were; give fps \(--fps\) "
        r"and width and height in px \(--width, --height\)"
    )
    with pytest.raises(UsageError, match=message):
        list(read_recordings(path))


def test_ids_are_used_mended_or_left_out(tmp_path):
    people = coco_people(frames=30, track=True)
    for person in people:
        if person["image_id"] >= 35:
            person["track_id"] = 15 - person["track_id"]  # 7 and 8 exchanged
    path = write(tmp_path / "walk.json", people)
    places = {}
    for ids in ("file", "mend", "ignore"):
        (recording,) = read_recordings(path, ids=ids, **OPTIONS)
        places[ids] = [np.ptp(track.keypoints[:, 0, 0]) for track in recording.tracks]
        assert len(recording.tracks) == 2 and any("--ids" in note for note in recording.notes) == (ids == "file")
    assert min(places["file"]) > 250 and max(*places["mend"], *places["ignore"]) < 150
    with pytest.raises(UsageError, match="ids 'fiel' is not known; did you mean 'file'?"):
        list(read_recordings(path, ids="fiel", **OPTIONS))


def test_a_folder_of_results_is_read_one_after_the_other(tmp_path):
    for name in ("b", "a"):
        write(tmp_path / f"{name}.json", coco_people(track=True))
    (tmp_path / "notes.md").write_text("")
    assert [recording.name for recording in read_recordings(tmp_path, **OPTIONS)] == ["a", "b"]


def test_shares_of_the_image_become_px(tmp_path):
    people = coco_people(track=True)
    (expected,) = read_recordings(write(tmp_path / "px.json", people), **OPTIONS)
    for person in people:
        points = np.reshape(person["keypoints"], (-1, 3)) / (OPTIONS["width"], OPTIONS["height"], 1)
        person["keypoints"] = points.ravel().tolist()
    (found,) = read_recordings(write(tmp_path / "shares.json", people), **OPTIONS)
    for ours, theirs in zip(found.tracks, expected.tracks, strict=True):
        np.testing.assert_allclose(ours.keypoints, theirs.keypoints, atol=1e-3)
