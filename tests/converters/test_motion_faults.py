import numpy as np
import pytest

from mpm_mmpose.converters.motion_faults import cut_jumps, describe_jumps, find_jumps
from mpm_mmpose.pose.keypoints import H36M_17
from mpm_mmpose.readers import read_motions
from mpm_mmpose.readers.motion import Motion
from studies.quickstart.synthetic_motion import KINDS, generate_motion


def clip(frames=300, fps=100.0):
    """Somebody who swings the arms and goes along x."""
    poses = np.random.default_rng(0).normal(0, 0.3, (17, 3)) * np.ones((frames, 1, 1))
    poses[:, [13, 16], 0] += 0.2 * np.sin(np.arange(frames) / fps * 6)[:, None]
    poses[..., 0] += np.arange(frames)[:, None] * 0.02
    return Motion("clip", poses, fps)


def test_a_movement_has_no_jumps():
    assert find_jumps(clip()) == [] and describe_jumps([], 100) == []
    for index, kind in enumerate(KINDS):
        assert find_jumps(generate_motion(kind, 4.0, 30, (0, index))) == []
    assert find_jumps(clip(5)) == []


@pytest.mark.parametrize("stays", [1, 40, 299])
def test_a_limb_that_flips(stays):
    motion = clip()
    knee = H36M_17.index("left_knee")
    motion.keypoints_3d[120 : 120 + stays, knee, 1] += 0.6
    jumps = find_jumps(motion)
    assert [jump.frame for jump in jumps] == [119] + ([119 + stays] if stays < 100 else [])
    assert {jump.keypoint for jump in jumps} == {"left_knee"} and jumps[0].metres == pytest.approx(0.6, abs=0.01)
    more = ", and in 1 more" if stays < 100 else ""
    assert describe_jumps(jumps, 100) == [
        f"the left_knee jumps by 0.60 m in 1/100 s, after frame 119{more} (--cut-jumps cuts there)"
    ]
    pieces = cut_jumps(motion, jumps)
    after = 120 + (stays if stays < 100 else 0)
    assert [(piece.name, len(piece)) for piece in pieces] == [
        ("clip.from0", 120),
        (f"clip.from{after}", 300 - after),
    ]
    np.testing.assert_array_equal(pieces[1].keypoints_3d, motion.keypoints_3d[after:])
    assert not any(map(find_jumps, pieces))


@pytest.mark.parametrize("number", [1, 2])
def test_a_rest_pose_at_the_beginning(number):
    motion = clip()
    motion.keypoints_3d[:number] = np.random.default_rng(1).normal(0, 0.3, (17, 3))
    (note,) = describe_jumps(find_jumps(motion), 100)
    assert note.startswith(f"the first {number} frame(s) are in another pose")
    (piece,) = cut_jumps(motion, find_jumps(motion))
    assert (piece.name, len(piece)) == ("clip", 300 - number)


def test_the_longest_piece_of_short_ones_stays():
    motion = clip(100)
    motion.keypoints_3d[30:, H36M_17.index("nose")] += 1
    (piece,) = cut_jumps(motion, find_jumps(motion))
    assert len(piece) == 70 and cut_jumps(motion, []) == [motion]


def test_recorded_motion(motion_dir):
    """CMU's own files have four clips of subject 01 in which a limb flips, two with more than 0.3 m."""
    found = {}
    for trial in ("01_01", "01_06", "01_07"):
        (motion,) = read_motions(motion_dir / f"cmu/01/{trial}.amc")
        found[trial] = [(jump.frame, jump.keypoint) for jump in find_jumps(motion)]
    assert found["01_01"] == [] and found["01_06"][0] == (4754, "right_knee") and found["01_07"][0][0] == 3363
