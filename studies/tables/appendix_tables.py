"""Tables A to E of the paper's appendix: what is run for each row, and the figures that are printed beside it."""

from __future__ import annotations

from . import paper
from .counted import lifter_cost
from .experiment import Experiment
from .table import Row, Table
from .trainings import LIFTED, PRETRAIN, PRETRAIN_81, PRETRAINED, REFINED, lift, lift_3dhp, masked_by, pretrain_all


def _table_a() -> Table:
    figures = ("mpjpe", "p_mpjpe")

    def printed(**where: object) -> dict[str, float]:
        return {name: paper.cell("A", name, **where) for name in figures}

    def deep(layers: int, frames: int) -> Row:
        changes = {} if layers == 4 else {"model.backbone.depth": layers}
        after = PRETRAIN if frames == 243 else PRETRAIN_81
        if changes:
            after = Experiment(f"pretrain_layers_{layers}", "pretrain_h36m_amass", changes, frames)
        tests = lift(f"table_a_layers_{layers}_frames_{frames}", after, frames, changes=changes)
        return Row(
            f"{layers} layers, {frames} frames", tests, printed(layers=layers, frames=frames, decoder="stage II")
        )

    light = dict(
        _delete_=True, type="CompletionHead", num_frames=243, depth=1, init_cfg=PRETRAINED | dict(prefix="head.")
    )
    stage_i = Experiment("table_a_decoder_i", "lift_h36m_243", {"model.head": light}, None, PRETRAIN)
    rows = {
        "decoder_i": Row(
            "4 layers, 243 frames, 3D decoder of stage I",
            {"": stage_i},
            printed(layers=4, frames=243, decoder="stage I"),
        ),
        "layers_4_frames_81": deep(4, 81),
    } | {f"layers_{layers}_frames_243": deep(layers, 243) for layers in (2, 3, 4, 5)}
    notes = (
        REFINED,
        "The decoder of stage I begins with its pre-trained weights, gives all frames, of which the middle one is "
        "tested, and is not refined.",
        "Pre-training has as many layers as what follows it.",
    )
    return Table("A", "Shared layers, frames and decoder", rows, LIFTED, notes)


def _table_b() -> Table:
    masks = {
        "spatial": ("Spatial", dict(type="spatial", ratio=0.718)),
        "temporal": ("Temporal", dict(type="temporal", ratio=0.718)),
        "spatio_temporal": (
            "Spatio-temporal",
            dict(type="spatio_temporal", masked_keypoints=5, frame_ratio=0.6),
        ),
    }
    columns = {"mpjpe": "h36m_mpjpe", "p_mpjpe": "h36m_p_mpjpe"}
    columns |= {f"3dhp/{name}": f"3dhp_{name}" for name in ("pck", "auc", "mpjpe")}
    rows = {}
    for name, (title, masking) in masks.items():
        tests = lift(f"table_b_{name}", masked_by(masking, f"pretrain_{name}_27"), 27)
        every = masked_by(masking, f"pretrain_all_{name}_27", "pretrain_h36m_3dhp_amass")
        tests["3dhp/"] = lift_3dhp(f"table_b_3dhp_{name}", every, 27)
        printed = {figure: paper.cell("B", column, mask=title) for figure, column in columns.items()}
        rows[name] = Row(title.lower(), tests, printed)
    notes = (
        REFINED,
        "All three mask about 71.8 % (section 4.4): 12 of 17 keypoints, 19 of 27 frames, or 5 keypoints in each of the "
        "11 frames left.",
        "97.9 is printed as PA-MPJPE of spatio-temporal masks, and can be none.",
        "MPI-INF-3DHP's rows are pre-trained on all three data sets, as those of table 2.",
    )
    return Table("B", "Mask strategies of pre-training", rows, (*LIFTED[:3], *list(columns)[2:]), notes)


def _table_c() -> Table:
    rows = {}
    for keypoints in (2, 3, 5, 7, 9):
        for share in (0.4, 0.5, 0.6, 0.7, 0.8):
            name = f"keypoints_{keypoints}_frames_{share * 100:.0f}"
            masking = dict(type="spatio_temporal", masked_keypoints=keypoints, frame_ratio=share)
            rows[name] = Row(
                f"{keypoints} of 17 keypoints, {share * 100:.0f} % of the frames",
                lift(f"table_c_{name}", masked_by(masking, f"pretrain_{name}_27"), 27),
                {"mpjpe": paper.cell("C", f"{share}", keypoints=keypoints)},
            )
    title = "How much pre-training masks (figure 6)"
    return Table("C", title, rows, ("mpjpe", "lifter/mpjpe"), (REFINED, "27 frames."), plot="surface")


def _table_d() -> Table:
    tests = lift("table_1_gt_243", PRETRAIN, 243, "lift_h36m_gt_243")
    figures = ("parameters_m", "flops_m", "mpjpe")
    printed = {name: paper.cell("D", name, method="MPM(ours)") for name in figures}
    notes = (
        "Parameters and FLOPs are counted on the lifter as it is used: four shared layers, 17 keypoints, two "
        "operations a multiply-add, attention's products included. With five layers it has 7.5 M and 2,358 MFLOPs.",
        "The error is that of table 1's row with true 2D and 243 frames; the refine module, 0.14 M, is not counted.",
    )
    row = Row("MPM, 243 frames", tests, printed, count=lifter_cost)
    return Table("D", "Cost of the lifter", {"mpm": row}, figures, notes, plot="")


def _table_e() -> Table:
    def some(name: str, shares: dict[str, float]) -> Experiment:
        stores = {"h36m": "h36m_train", "3dhp": "mpi_inf_3dhp_train"}
        windows = dict(
            _delete_=True,
            type="MixedPoseDataset",
            datasets=[dict(store=f"data/stores/{stores[key]}", window=81, keypoint_set="h36m_17") for key in shares],
            fractions=list(shares.values()),
        )
        changes = {f"train_dataloader.dataset.{kind}": windows for kind in ("dataset_2d", "dataset_3d")}
        return Experiment(f"pretrain_{name}_81", "pretrain_h36m_3dhp_amass", changes, 81)

    small, base, large = ({key: row[key] for key in ("h36m", "3dhp")} for row in paper.rows("E"))
    sets = {
        "small": ("half of Human3.6M, a quarter of MPI-INF-3DHP", some("small", small)),
        "base": ("all of Human3.6M, half of MPI-INF-3DHP", some("base", base)),
        "large": ("all of both, and AMASS", pretrain_all(81)),
    }
    assert large == {"h36m": 1, "3dhp": 1}
    rows = {name: Row(title, {"": lift_3dhp(f"table_e_{name}", after, 81)}) for name, (title, after) in sets.items()}
    notes = (
        "Tested on MPI-INF-3DHP, as figure E, which has no printed numbers. 81 frames, so that Large is table 2's "
        "row; the paper names none.",
        "Half and a quarter are random choices of windows. All go through their windows equally often, so less data "
        "is also fewer steps; the paper does not say.",
    )
    return Table("E", "Amount of pre-training data (figure E)", rows, ("mpjpe", "pck", "auc"), notes, plot="line")


APPENDIX_TABLES = (_table_a(), _table_b(), _table_c(), _table_d(), _table_e())
