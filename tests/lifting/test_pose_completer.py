from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from mpm_mmpose.apis import MPMInferencer, UsageError
from mpm_mmpose.converters.virtual_camera import project_views
from mpm_mmpose.data import PoseWindowDataset, write_store
from mpm_mmpose.lifting.pose_completer import PoseCompleter
from mpm_mmpose.lifting.window_model import WindowModel
from studies.quickstart.synthetic_motion import generate_motion

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
ARM = slice(11, 14)
TINY = f"""
_base_ = ["{CONFIGS}/completion_h36m_27.py"]
model = dict(
    data_preprocessor=dict(masking=dict(type="tube", patterns=[["left_arm"]])),
    backbone=dict(num_frames=9, channels=16, hidden_channels=16, depth=1, num_heads=2),
    head=dict(num_frames=9, channels=16, hidden_channels=16, num_heads=2),
    test_cfg=dict(flip_test=True, output="target"),
)
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("completion")
    config, weights = folder / "tiny.py", folder / "tiny.pth"
    config.write_text(TINY)
    init_default_scope("mmpose")
    torch.manual_seed(0)
    torch.save(dict(state_dict=MODELS.build(Config.fromfile(config).model).state_dict()), weights)
    return config, weights


@pytest.fixture(scope="module")
def inferencer(files):
    return MPMInferencer(*files, device="cpu")


@pytest.fixture(scope="module")
def clip():
    return next(project_views(generate_motion("waving", 1.0, 30, 0), cameras=1))


def test_the_same_as_the_models_own_test_step(inferencer, clip, tmp_path):
    write_store(tmp_path / "store", [clip])
    windows = PoseWindowDataset(tmp_path / "store", window=9, test_mode=True)
    with torch.no_grad():
        (sample,) = inferencer.model.test_step(windows.__getitems__(range(len(windows))))
    expected = sample.pred_instances.keypoints.numpy()
    poses = clip.keypoints_3d.copy()
    poses[:, ARM] = np.nan
    completed = inferencer.completer.complete(poses, 30.0)
    np.testing.assert_allclose(completed, expected, atol=1e-5)


def test_windows_have_the_frame_step_of_the_training(files, clip):
    inferencer = MPMInferencer(*files, device="cpu")
    inferencer.model.description = replace(inferencer.model.description, frame_step=2)
    shown = []

    class Spy(WindowModel):
        def targets(self, windows, flip_test, camera=None):
            shown.append(windows)
            return super().targets(windows, flip_test, camera)

    poses = clip.keypoints_3d.copy()
    poses[:, ARM] = np.nan
    PoseCompleter(Spy(inferencer.model, "h36m_17")).complete(poses, 30.0)
    relative = poses - poses[:, :1]
    frames = np.array([12, 14, 16, 18, 20, 22, 24, 26, 28])  # around frame 20, 9 of them
    np.testing.assert_allclose(np.concatenate(shown)[20], relative[frames], atol=1e-6)


def test_what_is_given_stays_and_what_is_masked_is_found(inferencer, clip):
    poses = clip.keypoints_3d.copy()
    poses[3:9, ARM] = np.nan
    (result,) = inferencer(poses, "complete", fps=30)
    (person,) = result.people
    relative = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    seen = ~person.masked
    assert (~seen).sum() == 18 and not seen[3:9, ARM].any()
    np.testing.assert_allclose(person.keypoints_3d[seen], relative[seen], atol=1e-6)
    assert np.isfinite(person.keypoints_3d).all()


def test_other_rates_come_back_at_their_own_times(files, clip):
    inferencer = MPMInferencer(*files, device="cpu")
    inferencer.model.dataset_meta = dict(fps=50.0)
    poses = clip.keypoints_3d.copy()
    poses[:, ARM] = np.nan
    completed = inferencer.completer.complete(poses, 30.0)
    assert completed.shape == poses.shape and np.isfinite(completed).all()


def test_a_root_that_is_missing_for_a_while(inferencer, clip):
    poses = clip.keypoints_3d.copy()
    poses[5, 0] = np.nan
    relative = clip.keypoints_3d - clip.keypoints_3d[:, :1]
    completed = inferencer.completer.complete(poses, 30.0)
    assert np.abs(completed[5, 1:] - relative[5, 1:]).max() < 0.01
    poses[:, 0] = np.nan
    with pytest.raises(UsageError, match="the root is not known in any frame"):
        inferencer.completer.complete(poses, 30.0)


def test_wrong_use(inferencer, clip):
    with pytest.raises(UsageError, match="task 'lift': this model takes 3D; give task='complete'"):
        inferencer(clip.keypoints_3d, fps=30)
    with pytest.raises(UsageError, match="this model completes 3D: give an array"):
        inferencer(clip.keypoints, "complete", fps=30)
    with pytest.raises(UsageError, match="an array of 3D needs fps"):
        inferencer(clip.keypoints_3d, "complete")
    with pytest.raises(UsageError, match=r"an array of shape \(30, 16, 3\) holds no 3D of h36m_17"):
        inferencer(clip.keypoints_3d[:, :16], "complete", fps=30)
    lifter = MODELS.build(Config.fromfile(CONFIGS / "lift_mocap_27.py").model)
    with pytest.raises(UsageError, match="completing 3D needs a model that takes 3D and has mask tokens"):
        PoseCompleter(WindowModel(lifter, "h36m_17"))
