from dataclasses import replace

import numpy as np

from mpm_mmpose.pose.keypoints import get_keypoint_set
from mpm_mmpose.pose.scene import LiftedPerson


def test_who_was_never_seen_is_what_the_detector_could_have_seen():
    masked = np.zeros((4, 17), bool)
    names = get_keypoint_set("h36m_17").names
    masked[:, [names.index("head_top"), names.index("left_ankle")]] = True
    masked[:3, names.index("right_wrist")] = True
    poses = np.zeros((4, 17, 3))
    poses[3] = np.nan  # where there is no pose, nothing was shown either
    person = LiftedPerson("1", "h36m_17", np.arange(4), poses, masked=masked)
    assert person.never_seen == ("left_ankle", "head_top", "right_wrist")
    assert replace(person, keypoint_set_2d="blazepose_33").never_seen == ("left_ankle", "right_wrist")
    assert replace(person, masked=None).never_seen == ()
    # What the model never looks at, nobody can show it.
    assert replace(person, ignored=(names.index("head_top"),)).never_seen == ("left_ankle", "right_wrist")
