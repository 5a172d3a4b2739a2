"""Studies of this project that are not the paper's, as tables of the same kind."""

from __future__ import annotations

from .experiment import Experiment
from .table import Row, Table
from .trainings import PRETRAIN


def _lift(title: str, name: str, after: Experiment | None, changes: dict[str, object] | None = None) -> Row:
    return Row(title, {"": Experiment(f"study_{name}", "lift_h36m_243", changes or {}, None, after)})


_FIRST = {"model.head.align": "first"}
_APART = {"model.backbone.place_apart": True}
_MASKED = Experiment("pretrain_loss_masked", "pretrain_h36m_amass", {"model.loss_on": "masked"})
_PRETRAIN_APART = Experiment("pretrain_place_apart", "pretrain_h36m_amass", _APART)
_WHITENED = {"model.targets": "whitened"}
_FRAMES = {"model.data_preprocessor.masking": dict(_delete_=True, type="temporal", ratio=0.6)}
_LIFTED = {"model.loss_lift_weight": 3.0}
_FASTER = {"optim_wrapper.paramwise_cfg": dict(custom_keys=dict(backbone=dict(lr_mult=3.0)))}

_TOKENS = {"model.backbone.tokens_per_keypoint": True}


def _occluded(title: str, name: str, changes: dict[str, object], after: Experiment | None = None) -> Row:
    """Lifting of 2D with limbs and single keypoints masked in turn; places apart."""
    return Row(title, {"": Experiment(f"study_{name}", "occluded_2d_h36m_27", _APART | changes, None, after)})


def _complete(title: str, name: str, changes: dict[str, object], after: Experiment | None = None) -> Row:
    """Completion of 3D with limbs masked in turn."""
    return Row(title, {"": Experiment(f"study_{name}", "completion_h36m_27", changes, None, after)})


def _recover(title: str, name: str, changes: dict[str, object]) -> Row:
    """Lifting after a pre-training with these changes; places apart in both."""
    pretraining = Experiment(f"pretrain_s4_{name}", "pretrain_h36m_amass", _APART | changes)
    return _lift(title, f"s4_{name}", pretraining, _APART)


def _pretrained_27(name: str, changes: dict[str, object]) -> Experiment:
    """Pre-training of windows of 27 frames; tokens per keypoint, places apart."""
    return Experiment(f"pretrain_s7_{name}", "pretrain_h36m_amass_27", _APART | _TOKENS | changes)


_POSES_27 = _pretrained_27("poses", {})
_WHITENED_27 = _pretrained_27("whitened", _WHITENED)
# One decoder layer, as pre-training has; and its weights, where there are any.
_ONE_LAYER = {"model.head.depth": 1}
_DECODERS = _ONE_LAYER | {"model.head.init_cfg": dict(type="Pretrained", checkpoint="", prefix="head.")}
_WHITENED_FRAMES = Experiment("pretrain_s5_whitened_frames", "pretrain_h36m_amass", _APART | _WHITENED | _FRAMES)

STUDIES = (
    Table(
        "S1",
        "The strided decoder's residual path (a study of this project)",
        {
            "scratch_released": _lift(
                "no pre-training, carries frame 0, as released", "s1_scratch_released", None, _FIRST
            ),
            "scratch_centre": _lift("no pre-training, carries the target frame", "s1_scratch_centre", None),
            "released": _lift("2D + 3D, carries frame 0, as released", "s1_released", PRETRAIN, _FIRST),
            "centre": _lift("2D + 3D, carries the target frame", "s1_centre", PRETRAIN),
        },
    ),
    Table(
        "S2",
        "The loss of pre-training (a study of this project)",
        {
            "all": _lift("all keypoints, as released", "s2_all", PRETRAIN),
            "masked": _lift("masked keypoints alone", "s2_masked", _MASKED),
        },
    ),
    Table(
        "S3",
        "Where a person stands in the image (a study of this project)",
        {
            "scratch": _lift("no pre-training, 2D where it is in the image, as released", "s3_scratch", None),
            "scratch_apart": _lift("no pre-training, 2D and its place apart", "s3_scratch_apart", None, _APART),
            "pretrained": _lift("2D + 3D, 2D where it is in the image, as released", "s3_pretrained", PRETRAIN),
            "pretrained_apart": _lift("2D + 3D, 2D and its place apart", "s3_apart", _PRETRAIN_APART, _APART),
        },
    ),
    Table(
        "S4",
        "What pre-training recovers (a study of this project)",
        {
            "scratch": _lift("no pre-training", "s4_scratch", None, _APART),
            "poses": _lift("poses, keypoints and frames masked, as in the paper", "s4_poses", _PRETRAIN_APART, _APART),
            "poses_frames": _recover("poses, whole frames masked", "poses_frames", _FRAMES),
            "whitened": _recover("whitened, keypoints and frames masked", "whitened", _WHITENED),
            "whitened_frames": _recover("whitened, whole frames masked", "whitened_frames", _WHITENED | _FRAMES),
            "whitened_lifted": _recover(
                "whitened, frames masked, and masked lifting", "whitened_lifted", _WHITENED | _FRAMES | _LIFTED
            ),
        },
    ),
    Table(
        "S5",
        "The backbone's learning rate (a study of this project)",
        {
            "scratch": _lift("no pre-training", "s5_scratch", None, _APART),
            "scratch_3": _lift("no pre-training, backbone x 3", "s5_scratch_3", None, _APART | _FASTER),
            "whitened": _lift("whitened, whole frames masked", "s5_whitened", _WHITENED_FRAMES, _APART),
            "whitened_3": _lift(
                "whitened, whole frames masked, backbone x 3", "s5_whitened_3", _WHITENED_FRAMES, _APART | _FASTER
            ),
        },
    ),
    Table(
        "S6",
        "Mask tokens (a study of this project)",
        {
            "occluded_one": _occluded("occluded 2D, one token, drawn, as released", "s6_occluded_one", {}),
            "occluded_each": _occluded("occluded 2D, one per keypoint at its mean", "s6_occluded_each", _TOKENS),
            "completion_one": _complete("completion, one token, drawn, as released", "s6_completion_one", {}),
            "completion_each": _complete("completion, one per keypoint at its mean", "s6_completion_each", _TOKENS),
        },
        ("mpjpe", "masked/mpjpe"),
    ),
    Table(
        "S7",
        "Pre-training before occluded 2D and completion (a study of this project)",
        {
            f"{task}_{name}": row(f"{words}, {title}", f"s7_{task}_{name}", _TOKENS | changes, after)
            for task, words, row in (("occluded", "occluded 2D", _occluded), ("completion", "completion", _complete))
            for name, title, changes, after in (
                ("scratch", "no pre-training", {}, None),
                ("poses", "poses, as in the paper", {}, _POSES_27),
                ("whitened", "whitened", {}, _WHITENED_27),
                ("scratch_one", "one decoder layer, no pre-training", _ONE_LAYER, None),
                ("decoders", "one decoder layer, poses, decoders taken over", _DECODERS, _POSES_27),
            )
        },
        ("mpjpe", "masked/mpjpe"),
    ),
)
