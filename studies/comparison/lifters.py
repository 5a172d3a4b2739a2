"""The lifters of the comparison as configs of one kind: a model, and how samples of a store become its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import mmpose
import numpy as np
from mmengine.config import Config

from mpm_mmpose.data.pose_store import PoseStore

FRAMES = 27
#: What PoseErrorMetric and the heads of MMPose read of a sample.
META = ("id", "target_img_path", "flip_indices", "target_root", "sequence", "frame", "action")
_THEIRS = Path(mmpose.__file__).parent / ".mim/configs/body_3d_keypoint"
_STATISTICS_OF = 20_000  # frames


@dataclass(frozen=True)
class Lifter:
    """title: for the table. batch: windows per step. rate: AdamW's learning rate, as the model's authors set it.

    make: from a training store to (model, training data set, test data set, collate function), without their stores.
    """

    title: str
    batch: int
    rate: float
    make: Callable[[Path], tuple[dict, dict, dict, str]]


def _mpm(store: Path) -> tuple[dict, dict, dict, str]:
    model = dict(
        type="PoseLifter",
        data_preprocessor=dict(type="RayPreprocessor", flip=True),
        backbone=dict(
            type="PersonBackbone",
            num_frames=FRAMES,
            temporal="mixer",
            drop=0.0,
            mlp_drop=0.0,
        ),
        head=dict(type="PersonSequenceHead", num_frames=FRAMES, bone_weight=0.5),
        test_cfg=dict(flip_test=False),
    )
    return model, *_ours()


def _mpm_paper(store: Path) -> tuple[dict, dict, dict, str]:
    narrow = dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0)
    model = dict(
        type="PoseLifter",
        data_preprocessor=dict(type="LiftingPreprocessor", flip=True),
        backbone=dict(
            type="MPMBackbone",
            num_frames=FRAMES,
            inputs=("2d",),
            mask_tokens=False,
            place_apart=True,
            mlp_drop=0.0,
            **narrow,
        ),
        head=dict(type="LiftingHead", num_frames=FRAMES, strides=(3, 9), align="centre", **narrow),
        test_cfg=dict(flip_test=False),
    )
    return model, *_ours()


def _ours() -> tuple[dict, dict, str]:
    windows = dict(type="PoseWindowDataset", window=FRAMES)
    return windows, windows | dict(test_mode=True), "keep_batch"


def _simplebaseline(store: Path) -> tuple[dict, dict, dict, str]:
    cfg = Config.fromfile(_THEIRS / "image_pose_lift/h36m/image-pose-lift_tcn_8xb64-200e_h36m.py")
    codec = cfg.codec.to_dict() | _statistics(store)
    model = cfg.model.to_dict()
    model["head"]["decoder"] = codec
    cut = dict(seq_len=1, causal=True)
    return model, _cut(cut, codec, cfg), _cut(cut, codec, None), "pseudo_collate"


def _videopose(store: Path) -> tuple[dict, dict, dict, str]:
    cfg = Config.fromfile(_THEIRS / "video_pose_lift/h36m/video-pose-lift_tcn-27frm-supv_8xb128-160e_h36m.py")
    codec, model = cfg.codec.to_dict(), cfg.model.to_dict()
    cut = dict(seq_len=FRAMES, causal=False, pad_video_seq=True)
    return model, _cut(cut, codec, cfg), _cut(cut, codec, None), "pseudo_collate"


def _motionbert(store: Path) -> tuple[dict, dict, dict, str]:
    cfg = Config.fromfile(_THEIRS / "motionbert/h36m/motionbert_dstformer-243frm_8xb32-240e_h36m.py")
    model = cfg.model.to_dict()
    model["backbone"] |= dict(feat_size=64, depth=3, num_heads=4, seq_len=FRAMES)
    model["head"] |= dict(in_channels=64, embedding_size=64, decoder=dict(type="MetreWindowLifting", target=True))
    model["test_cfg"] = dict(flip_test=False)
    codec = dict(type="MetreWindowLifting")
    train = _cut(dict(multiple_target=FRAMES, multiple_target_step=3), codec, None)
    test = _cut(dict(seq_len=FRAMES, causal=False, pad_video_seq=True), codec, None)
    return model, train, test, "pseudo_collate"


def _cut(cut: Mapping, codec: dict, cfg: Config | None) -> dict:
    """MMPose's data set on a store; with the config's flip where it is given."""
    flip = [step.to_dict() for step in cfg.train_pipeline if step.type == "RandomFlipAroundRoot"] if cfg else []
    pipeline = [*flip, dict(type="GenerateTarget", encoder=codec), dict(type="PackPoseInputs", meta_keys=META)]
    return dict(type="PoseStoreMocapDataset", pipeline=pipeline, **cut)


def _statistics(store: Path) -> dict[str, list]:
    """Means and deviations of 2D, px, and of root-relative 3D, m, that `ImagePoseLifting` normalises with."""
    whole = PoseStore(store)
    rows = np.arange(0, whole.num_frames, max(1, whole.num_frames // _STATISTICS_OF))
    image = np.asarray(whole.keypoints[rows], np.float64)
    poses = np.asarray(whole.keypoints_3d[rows], np.float64)
    poses = (poses - poses[:, :1])[:, 1:]
    return dict(
        keypoints_mean=image.mean(0).tolist(),
        keypoints_std=image.std(0).clip(1e-3).tolist(),
        target_mean=poses.mean(0).tolist(),
        target_std=poses.std(0).clip(1e-3).tolist(),
    )


LIFTERS = {
    "mpm": Lifter("MPM, turned to the person, whole windows, mixer", 64, 1e-3, _mpm),
    "mpm_paper": Lifter("MPM as in the paper, half width, place apart", 64, 1e-3, _mpm_paper),
    "simplebaseline": Lifter("SimpleBaseline3D (MMPose)", 64, 1e-3, _simplebaseline),
    "videopose": Lifter("VideoPose3D, 27 frames (MMPose)", 128, 1e-3, _videopose),
    "motionbert": Lifter("MotionBERT, 64 wide, 3 deep, 27 frames, metre targets (MMPose)", 32, 5e-4, _motionbert),
}
