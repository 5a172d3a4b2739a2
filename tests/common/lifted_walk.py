"""A person lifted without error, seen by a camera that is known."""

import logging

import numpy as np
import pytest
from cameras import project_linear

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.lifting.tracks import Track2D, Track3D
from mpm_mmpose.pose.keypoints import H36M_17
from studies.quickstart.synthetic_motion import generate_motion


def filmed(kind="walking", seconds=8.0, fps=25.0, seed=1):
    """A person lifted without error, the root's true place (N, 3) m, and the true up (3,), both in camera space."""
    motion = generate_motion(kind, seconds, fps, seed=seed)
    (sequence,) = project_views(motion, cameras=1)
    intrinsics = sequence.intrinsics.copy()
    intrinsics[4:] = 0
    poses = sequence.keypoints_3d
    track = Track2D(
        "3",
        np.arange(len(sequence)) / fps,
        project_linear(poses, intrinsics),
        np.ones(poses.shape[:2]),
        "h36m_17",
        sequence.width,
        sequence.height,
        fps,
        intrinsics,
    )
    root = poses[:, H36M_17.root]
    lifted = Track3D(track, poses - root[:, None], "h36m_17", np.zeros(poses.shape[:2], bool))
    return lifted, root, sequence.rotation @ [0, 0, 1.0]


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(logging.getLogger("mpm_mmpose"), "info", texts.append)
    return texts
