import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

META = dict(
    dataset_name="toy",
    keypoint_set="h36m_17",
    actions=("Sitting", "Walking", "Waving"),
    sequences=("S9_Sitting.cam0", "S9_Walking.cam0", "S11_Walking.cam1"),
    fps=50.0,
)
# First frame of each sequence in the arrays, and its action; unequal, so that means over actions differ from others.
STARTS, ACTIONS = (0, 60, 130), (0, 1, 1)


def sample_of(pred, gt, **fields) -> dict:
    """A data sample as the evaluator passes it on: one of N instances."""
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(keypoints=torch.as_tensor(np.array(pred)))
    fields = {name: torch.as_tensor(np.array(value)) for name, value in fields.items() if value is not None}
    sample.gt_instances = InstanceData(lifting_target=torch.as_tensor(np.array(gt)), **fields)
    return sample.to_dict()


class Poses:
    """200 frames of three sequences."""

    def __init__(self) -> None:
        random = np.random.default_rng(0)
        self.gt = np.cumsum(0.01 * random.normal(size=(200, 17, 3)), 0) + 0.3 * random.normal(size=(17, 3))
        self.gt = (self.gt - self.gt[:, :1]).astype(np.float32)
        self.pred = (self.gt + 0.06 * random.normal(size=self.gt.shape)).astype(np.float32)
        self.window = np.arange(200)
        self.sequence = np.searchsorted(STARTS, self.window, side="right") - 1
        self.frame = self.window - np.array(STARTS)[self.sequence]
        self.action = np.array(ACTIONS)[self.sequence]

    def sample(self, rows, **more) -> dict:
        names = ("window", "sequence", "frame", "action")
        fields = {name: getattr(self, name)[rows] for name in names} | {
            name: None if value is None else value[rows] for name, value in more.items()
        }
        return sample_of(self.pred[rows], self.gt[rows], **fields)


@pytest.fixture
def poses() -> Poses:
    return Poses()
