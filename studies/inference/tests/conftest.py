"""Recorded clips, some to learn from and others to test with, and a lifter that needs no training."""

import numpy as np
import pytest

from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data.pose_store import PoseStore, write_store
from mpm_mmpose.lifting.windows import WindowPredictor, cut_windows
from mpm_mmpose.pose.geometry import normalize_screen, root_relative
from mpm_mmpose.readers import read_motion

from ..held_out import read_clips

T, STEP, FPS = 5, 5, 30.0
CONTENTS = ("walk", "bye", "guide")
KNOWN, HELD_OUT = ("active", "normal", "old", "happy", "proud"), ("feminine", "sad", "tired")


class Gaussian(WindowPredictor):
    """Knows how keypoints of windows and their 3D vary together, and nothing else.

    Its answer is what the 3D is on average, given what is visible. What is masked (NaN) has no say, as with mask
    tokens.
    """

    inputs, outputs, mask_tokens = ("2d",), ("target",), True
    window, num_keypoints, keypoint_set, trained_fps, trained_frame_step = T, 17, "h36m_17", FPS, STEP

    def __init__(self, sequences):
        samples = []
        for sequence in sequences:
            frames = normalize_screen(sequence.keypoints, sequence.width, sequence.height)
            starts = np.arange(0, len(frames) - STEP * T, 4)
            windows = cut_windows(frames, starts, T, STEP).reshape(len(starts), -1)
            poses = root_relative(sequence.keypoints_3d)[starts + T // 2 * STEP].reshape(len(starts), -1)
            samples.append(np.hstack([windows, poses]))
        samples = np.concatenate(samples).astype(np.float64)
        self.mean, self.covariance = samples.mean(0), np.cov(samples.T)

    def targets(self, windows, flip_test, camera=None):
        shown = windows.reshape(len(windows), -1).astype(np.float64)
        size = shown.shape[1]
        # Noise of 4 px of 1000, and endlessly much where nothing is seen.
        noise = np.where(np.isfinite(shown), 0.008**2, 1e6)
        away = np.where(np.isfinite(shown), shown - self.mean[:size], 0)
        seen = self.covariance[:size, :size] + noise[:, :, None] * np.eye(size)
        poses = self.mean[size:] + np.linalg.solve(seen, away[..., None])[..., 0] @ self.covariance[:size, size:]
        return poses.reshape(-1, 17, 3).astype(np.float32)

    def sequences(self, windows, flip_test):
        raise NotImplementedError


@pytest.fixture(scope="session")
def filmed(motion_dir):
    """{style: sequences} of recorded clips at 30 Hz, each seen by two cameras."""
    found = {}
    for style in KNOWN + HELD_OUT:
        files = [motion_dir / f"bandai-1/dataset-1_{content}_{style}_001.bvh" for content in CONTENTS]
        motions = [read_motion(file).resampled(FPS) for file in files]
        found[style] = [
            sequence for motion in motions for sequence in project_views(motion, cameras=4 if style in HELD_OUT else 24)
        ]
    return found


@pytest.fixture(scope="session")
def lifter(filmed):
    return Gaussian([sequence for style in KNOWN for sequence in filmed[style]])


@pytest.fixture(scope="session")
def held_out_store(filmed, tmp_path_factory):
    path = tmp_path_factory.mktemp("held_out") / "store"
    write_store(path, [sequence for style in HELD_OUT for sequence in filmed[style]])
    return PoseStore(path)


@pytest.fixture(scope="session")
def clips(held_out_store):
    return read_clips(held_out_store, 9, 80)
