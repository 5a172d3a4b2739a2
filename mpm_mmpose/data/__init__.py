"""Pose stores and windows of them: the data sets that MMPose trains on."""

from __future__ import annotations

from importlib import import_module

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


def __getattr__(name: str) -> object:
    # Imported when asked for: readers and stores need no PyTorch.
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_PLACES[name]}", __name__), name)
