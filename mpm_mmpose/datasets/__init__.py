"""Motion in, windows out: readers, virtual cameras, pose stores and the data sets MMPose trains on."""

from .chunk_dataset import PoseChunkDataset
from .device_dataset import DevicePoseWindowDataset
from .masked_pose_dataset import MaskedPoseDataset
from .mixed_dataset import MixedPoseDataset
from .mocap_dataset import PoseStoreMocapDataset
from .pose_store import PoseSequence, PoseStore, write_store
from .window_dataset import PoseWindowDataset, keep_batch

__all__ = [
    "DevicePoseWindowDataset",
    "MaskedPoseDataset",
    "MixedPoseDataset",
    "PoseChunkDataset",
    "PoseSequence",
    "PoseStore",
    "PoseStoreMocapDataset",
    "PoseWindowDataset",
    "keep_batch",
    "write_store",
]
