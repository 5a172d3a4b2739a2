"""A built PoseLifter as a function from windows of 2D to 3D, without labels."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..keypoints import get_keypoint_set
from ..models import RefinedLiftingHead

#: Normalised 2D (B, K, 2) of the target frames, and normalised intrinsics (9,).
Camera = tuple[np.ndarray, np.ndarray]


class WindowModel:
    """Windows (B, T, K, 2), normalised, NaN where hidden, to root-relative metres; as the model's own ``predict``.

    model: mmpose's `PoseLifter` with an `MPMBackbone` for 2D; it is put into evaluation mode and moved to ``device``.
    keypoint_set: name of the model's keypoints. flip_test: mean of the plain and of the mirrored input's poses.
    Raises ValueError for another model, another keypoint set, or a head that needs the true depth.
    """

    def __init__(
        self, model: nn.Module, keypoint_set: str, flip_test: bool, device: torch.device | str | None = None
    ) -> None:
        self.model = model.eval() if device is None else model.to(device).eval()
        backbone, head = getattr(model, "backbone", None), getattr(model, "head", None)
        if "2d" not in getattr(backbone, "inputs", ()) or not hasattr(head, "predict"):
            raise ValueError(
                f"the model is {type(model).__name__} with backbone {type(backbone).__name__}; give a PoseLifter with "
                "an MPMBackbone that has '2d' among its inputs"
            )
        self._check_keypoints(backbone.num_keypoints, keypoint_set)
        if isinstance(head, RefinedLiftingHead) and head.root_depth != "fitted":
            raise ValueError(
                f"the model's head refines with root_depth={head.root_depth!r}, which nobody knows of a video; build "
                "the model with head.root_depth='fitted'"
            )
        self.window, self.num_keypoints = backbone.num_frames, backbone.num_keypoints
        self.mask_tokens = backbone.mask_tokens
        self.flip_test, self.flip_indices = flip_test, list(get_keypoint_set(keypoint_set).flip_indices)

    @property
    def trained_fps(self) -> float | None:
        """The rate of the training data as the model's ``dataset_meta`` has it, Hz; None where it does not say."""
        return (getattr(self.model, "dataset_meta", None) or {}).get("fps")

    @property
    def trained_frame_step(self) -> int:
        """Frames between two of a window in the test data of the config that the model was built from; else 1."""
        loader = (getattr(self.model, "cfg", None) or {}).get("test_dataloader") or {}
        return loader.get("dataset", {}).get("frame_step", 1)

    def targets(self, windows: Tensor, camera: Camera | None = None) -> np.ndarray:
        """Poses (B, K, 3) of the target frames. camera: what a head that refines needs. Raises ValueError without."""
        if camera is None and isinstance(self.model.head, RefinedLiftingHead):
            raise ValueError("this model refines its poses with the camera; give the track's intrinsics")
        return self._predict(windows, "target", camera)[:, 0]

    def sequences(self, windows: Tensor) -> np.ndarray:
        """Poses (B, T, K, 3) of all frames."""
        return self._predict(windows, "sequence", None)

    @torch.inference_mode()
    def _predict(self, windows: Tensor, output: str, camera: Camera | None) -> np.ndarray:
        device = next(self.model.parameters()).device
        windows = windows.to(device)
        feats = self.model.extract_feat(windows)
        if self.flip_test:
            mirrored = windows[:, :, self.flip_indices] * windows.new_tensor([-1, 1])
            feats = [feats, self.model.extract_feat(mirrored)]
        sample = PoseDataSample(metainfo=dict(flip_indices=self.flip_indices))
        sample.gt_instances = InstanceData()
        if camera is not None:
            keypoints, intrinsics = (torch.from_numpy(array).to(device) for array in camera)
            sample.gt_instances.keypoints = keypoints
            sample.gt_instances.intrinsics = intrinsics.expand(len(keypoints), -1)
        (found,) = self.model.head.predict(feats, [sample], dict(flip_test=self.flip_test, output=output))
        # Of one window, heads give what mmpose's metrics take.
        poses = torch.as_tensor(found.keypoints).cpu().numpy()
        return poses.reshape(len(windows), -1, self.num_keypoints, 3)

    def _check_keypoints(self, number: int, keypoint_set: str) -> None:
        theirs = (getattr(self.model, "dataset_meta", None) or {}).get("keypoint_set", keypoint_set)
        if theirs != keypoint_set:
            raise ValueError(f"the model was trained on {theirs}; give keypoint_set={theirs!r}, not {keypoint_set!r}")
        if len(get_keypoint_set(keypoint_set)) != number:
            raise ValueError(
                f"the model has {number} keypoints, {keypoint_set} has {len(get_keypoint_set(keypoint_set))}; give the "
                "keypoint_set that the model was trained on"
            )
