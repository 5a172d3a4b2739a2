"""One recorded motion as videos of several frame rates gives the same 3D, also through keypoint files."""

import json

import numpy as np
import pytest

from mpm_mmpose.apis.results import write_keypoints_2d
from mpm_mmpose.apis.sources import Recording, read_recordings
from mpm_mmpose.lifting.resampling import interpolate
from mpm_mmpose.lifting.track_lifter import TrackLifter

from ..rates import RATES, VARIABLE, describe_rates, make_versions, measure_rates, read_sequences


@pytest.fixture(scope="module")
def sequences(motion_dir):
    """A walk, recorded at 120 Hz."""
    return read_sequences([motion_dir / "cmu/02/02_01.amc"], 2.0)


@pytest.fixture(scope="module")
def at_30(lifter):
    return TrackLifter(lifter, fps=30.0, flip_test=False)


def test_versions_are_the_recorded_motion_at_their_times(sequences):
    (sequence,) = sequences
    versions = make_versions(sequence)
    assert [len(versions[str(rate)]) for rate in RATES] == [51, 61, 121, 241] and len(versions[VARIABLE]) == 61
    for rate in (30, 60, 120):  # as recorded
        np.testing.assert_allclose(versions[str(rate)].keypoints, sequence.keypoints[:: 120 // rate], atol=1e-3)
    times = versions[VARIABLE].times
    steps = np.diff(times)
    assert steps.min() < 0.8 / 30 and 1.2 / 30 < steps.max() < 1.5 / 30
    between = np.stack([np.interp(times, np.arange(241) / 120, x) for x in sequence.keypoints.reshape(241, -1).T], -1)
    assert np.abs(versions[VARIABLE].keypoints.reshape(61, -1) - between).max() < 1  # px; straight lines are that near


def test_every_rate_gives_the_same_3d_within_millimetres(sequences, at_30):
    found = measure_rates(sequences, at_30)
    for title, mm in found.items():
        assert mm["moved"].mean() < 1 and np.quantile(mm["moved"], 0.99) < 5, title
        assert len(mm["moved"]) == 11 * 17
    # Not so where nobody asks how long a frame lasts.
    assert found["120"]["unaware"].mean() > found["60"]["unaware"].mean() > 10
    np.testing.assert_array_equal(found["30"]["unaware"], found["30"]["moved"])
    assert found["25"]["unaware"].mean() > 3 * found["25"]["moved"].mean()
    errors = [mm["error"].mean() for mm in found.values()]
    assert max(errors) < 1.01 * min(errors)
    lines = describe_rates(found).splitlines()
    assert len(lines) == 7
    assert lines[5].split(" | ")[1:] == [
        "0.0",
        "0.0",
        "0.0",
        f"{found['120']['unaware'].mean():.1f}",
        f"{errors[3]:.1f} |",
    ]


def coco_results(track):
    """As detectors write it, which know nothing of time."""
    rows = np.concatenate((track.keypoints, track.scores[..., None]), axis=-1).reshape(len(track), -1)
    return [dict(image_id=frame, keypoints=row.tolist(), track_id=0) for frame, row in enumerate(rows)]


def test_and_so_it_does_through_files(sequences, at_30, tmp_path):
    common = np.arange(11) / 5
    lifted = {}
    for title, track in make_versions(sequences[0]).items():
        path = tmp_path / f"{track.fps:g}.json"
        if title == VARIABLE:
            write_keypoints_2d(path, Recording("walk", [track], track.times, track.fps))
            (recording,) = read_recordings(path)
        else:
            path.write_text(json.dumps(coco_results(track)))
            size = dict(width=track.width, height=track.height)
            (recording,) = read_recordings(path, fps=track.fps, keypoint_set="h36m_17", **size)
        (read,) = recording.tracks
        lifted[title] = interpolate(read.times, at_30.lift(read).keypoints_3d, common.clip(*read.times[[0, -1]]))
    for title, poses in lifted.items():
        moved = 1000 * np.linalg.norm(poses - lifted["120"], axis=-1)
        assert moved.mean() < 1 and np.quantile(moved, 0.99) < 5, title
    assert np.ptp(lifted["120"], axis=0).max() > 0.3  # m; it is a motion


def test_motion_of_too_few_frames_is_refused(motion_dir):
    with pytest.raises(ValueError, match=r"walk_normal_001\.bvh: has 30 frames a second; give motion of 120 or more"):
        read_sequences([motion_dir / "bandai-1/dataset-1_walk_normal_001.bvh"], 1.0)
