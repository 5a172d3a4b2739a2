"""A built PoseLifter as a function from windows to 3D, without labels."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import nn

from ..models import RefinedLiftingHead, SequenceHead
from ..pose.keypoints import get_keypoint_set
from .windows import TargetView, WindowPredictor


class WindowModel(WindowPredictor):
    """As the model's own ``predict``.

    model: mmpose's `PoseLifter` with an `MPMBackbone`; it is put into evaluation mode and moved to ``device``.
    keypoint_set: name of the model's keypoints, by default as its description says. Raises ValueError for another
    model, another keypoint set, or a head that needs the true depth.
    """

    def __init__(
        self, model: nn.Module, keypoint_set: str | None = None, device: torch.device | str | None = None
    ) -> None:
        self.model = model.eval() if device is None else model.to(device).eval()
        self.description = getattr(model, "description", None)
        keypoint_set = keypoint_set or (self.description.keypoint_set if self.description else "h36m_17")
        backbone, head = getattr(model, "backbone", None), getattr(model, "head", None)
        if not getattr(backbone, "inputs", ()) or not hasattr(head, "predict"):
            raise ValueError(
                f"the model is {type(model).__name__} with backbone {type(backbone).__name__}; give a PoseLifter with "
                "an MPMBackbone"
            )
        self._check_keypoints(backbone.num_keypoints, keypoint_set)
        if isinstance(head, RefinedLiftingHead) and head.root_depth != "fitted":
            raise ValueError(
                f"the model's head refines with root_depth={head.root_depth!r}, which nobody knows of a video; build "
                "the model with head.root_depth='fitted'"
            )
        self.inputs, self.mask_tokens = backbone.inputs, backbone.mask_tokens
        self.space, self.ignored = backbone.space, backbone.ignored
        self.outputs = ("sequence", "target") if isinstance(head, SequenceHead) else ("target", "sequence")
        self.window, self.num_keypoints = backbone.num_frames, backbone.num_keypoints
        self.keypoint_set = keypoint_set

    @property
    def trained_fps(self) -> float | None:
        """As the model's description or ``dataset_meta`` has it, Hz."""
        if self.description is not None:
            return self.description.fps
        return (getattr(self.model, "dataset_meta", None) or {}).get("fps")

    @property
    def trained_frame_step(self) -> int:
        """As the model's description or ``dataset_meta`` has it, or the test data of a config of its own; else 1."""
        if self.description is not None:
            return self.description.frame_step
        if (step := (getattr(self.model, "dataset_meta", None) or {}).get("frame_step")) is not None:
            return step
        loader = (getattr(self.model, "cfg", None) or {}).get("test_dataloader") or {}
        return loader.get("dataset", {}).get("frame_step", 1)

    def targets(self, windows: np.ndarray, flip_test: bool, camera: TargetView | None = None) -> np.ndarray:
        """See :class:`WindowPredictor`."""
        if camera is None and isinstance(self.model.head, RefinedLiftingHead):
            raise ValueError("this model refines its poses with the camera; give the track's intrinsics")
        return self._predict(windows, "target", flip_test, camera)[:, 0]

    def sequences(self, windows: np.ndarray, flip_test: bool) -> np.ndarray:
        """See :class:`WindowPredictor`."""
        return self._predict(windows, "sequence", flip_test, None)

    @torch.inference_mode()
    def _predict(self, windows: np.ndarray, output: str, flip_test: bool, camera: TargetView | None) -> np.ndarray:
        device = next(self.model.parameters()).device
        views = [windows, self.mirror(windows)] if flip_test else [windows]
        feats = [self.model.extract_feat(torch.from_numpy(view).to(device)) for view in views]
        flip_indices = list(get_keypoint_set(self.keypoint_set).flip_indices)
        sample = PoseDataSample(metainfo=dict(flip_indices=flip_indices))
        sample.gt_instances = InstanceData()
        if camera is not None:
            keypoints, intrinsics = (torch.from_numpy(array).to(device) for array in camera)
            sample.gt_instances.keypoints = keypoints
            sample.gt_instances.intrinsics = intrinsics.expand(len(keypoints), -1)
        test_cfg = dict(flip_test=flip_test, output=output)
        (found,) = self.model.head.predict(feats if flip_test else feats[0], [sample], test_cfg)
        # Of one window, heads give what mmpose's metrics take.
        poses = torch.as_tensor(found.keypoints).cpu().numpy()
        return poses.reshape(len(windows), -1, self.num_keypoints, 3)

    def _check_keypoints(self, number: int, keypoint_set: str) -> None:
        meta = getattr(self.model, "dataset_meta", None) or {}
        theirs = self.description.keypoint_set if self.description else meta.get("keypoint_set", keypoint_set)
        if theirs != keypoint_set:
            raise ValueError(f"the model was trained on {theirs}; give keypoint_set={theirs!r}, not {keypoint_set!r}")
        if len(get_keypoint_set(keypoint_set)) != number:
            raise ValueError(
                f"the model has {number} keypoints, {keypoint_set} has {len(get_keypoint_set(keypoint_set))}; give the "
                "keypoint_set that the model was trained on"
            )
