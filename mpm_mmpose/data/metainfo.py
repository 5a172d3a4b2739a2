"""What data sets say of themselves, in our words and in MMPose's."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from functools import cache

# The sets of which MMPose has names, links and colours, and what it calls them.
_THEIRS = {"h36m_17": "configs/_base_/datasets/h36m.py"}


@cache
def mmpose_metainfo(keypoint_set: str) -> dict:
    """MMPose's metainfo of a keypoint set, with which its inferencers convert and draw; else its name."""
    if keypoint_set not in _THEIRS:
        return dict(dataset_name=keypoint_set)
    from mmpose.datasets.datasets.utils import parse_pose_metainfo  # takes seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that the file is in MMPose's package and not in this folder
        return parse_pose_metainfo(dict(from_file=_THEIRS[keypoint_set]))


def common_rate(infos: Iterable[dict]) -> dict:
    """Fps and frame_step of several data sets: those of all, else the rate of their windows' frames, else unknown."""
    rates = {(info["fps"], info["frame_step"]) for info in infos}
    if len(rates) > 1:
        rates = {(fps and fps / step, 1) for fps, step in rates}
    fps, frame_step = rates.pop() if len(rates) == 1 else (None, 1)
    return dict(fps=fps, frame_step=frame_step)
