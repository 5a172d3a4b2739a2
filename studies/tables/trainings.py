"""The trainings that rows of several tables share, and how a row is made of them."""

from __future__ import annotations

from .experiment import Experiment

Changes = dict[str, object]
PRETRAINED = dict(type="Pretrained", checkpoint="", prefix="backbone.")

PRETRAIN = Experiment("pretrain_h36m_amass")
PRETRAIN_81 = Experiment("pretrain_h36m_amass_81")
PRETRAIN_27 = Experiment("pretrain_h36m_amass_27")


def masked_by(masking: Changes, name: str, leaf: str = "pretrain_h36m_amass", frames: int = 27) -> Experiment:
    """Pre-training with other masks."""
    return Experiment(name, leaf, {"model.data_preprocessor.masking": dict(_delete_=True, **masking)}, frames)


def lift(
    name: str,
    after: Experiment | None,
    frames: int = 243,
    leaf: str = "lift_h36m_243",
    changes: Changes | None = None,
) -> dict[str, Experiment]:
    """Lifting on Human3.6M as printed, refined, and under 'lifter/' the lifter before it is refined."""
    lifter = Experiment(f"{name}_lifter", leaf, changes or {}, frames, after)
    return {"": Experiment(name, f"{leaf}_refine", changes or {}, frames, lifter), "lifter/": lifter}


def lift_3dhp(name: str, after: Experiment, frames: int) -> Experiment:
    """Lifting on MPI-INF-3DHP in the 17 keypoints of the pre-training."""
    keypoints = {f"{split}_dataloader.dataset.keypoint_set": "h36m_17" for split in ("train", "val", "test")}
    model = {
        "model.data_preprocessor.keypoint_set": "h36m_17",
        "model.head.root": 0,
        "model.backbone.init_cfg": PRETRAINED,
    }
    return Experiment(name, "lift_3dhp_81", keypoints | model, frames, after)


def pretrain_all(frames: int) -> Experiment:
    """Pre-training on all three data sets, for MPI-INF-3DHP."""
    return Experiment(f"pretrain_h36m_3dhp_amass_{frames}", "pretrain_h36m_3dhp_amass", frames=frames)


#: Figures of such a row.
LIFTED = ("mpjpe", "p_mpjpe", "lifter/mpjpe", "lifter/p_mpjpe")
REFINED = (
    "Human3.6M's rows are refined, as section 4.2 says; the refine module is given the true depth of the root, in test "
    "as well, as in the released code. Beside them stand the lifters before refinement, which see 2D alone."
)
