"""Pose stores and windows of them: the data sets that MMPose trains on."""

from __future__ import annotations

from ..lazy_names import lazy_names

_PLACES = {
    "DevicePoseWindowDataset": "device_dataset",
    "MaskedPoseDataset": "masked_pose_dataset",
    "MixedPoseDataset": "mixed_dataset",
    "PoseChunkDataset": "chunk_dataset",
    "PoseSequence": "pose_store",
    "PoseStore": "pose_store",
    "PoseStoreMocapDataset": "mocap_dataset",
    "PoseWindowDataset": "window_dataset",
    "keep_batch": "window_dataset",
    "write_store": "pose_store",
}
__all__ = list(_PLACES)
__getattr__ = lazy_names(__name__, _PLACES)
