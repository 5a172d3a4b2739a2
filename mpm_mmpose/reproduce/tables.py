"""What is in each table of the paper, as far as it is known here, and in our own studies: rows, figures, notes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

FIGURES = {
    "mpjpe": "MPJPE, mm",
    "p_mpjpe": "P-MPJPE, mm",
    "hidden/mpjpe": "MPJPE of hidden keypoints, mm",
    "pck": "PCK, %",
    "auc": "AUC, %",
}
PAPER = Path(__file__).with_name("paper_figures.json")


@dataclass(frozen=True)
class Table:
    """One table: its rows by name, the config leaf of a row being ``table_<number>_<row>.py``."""

    number: str
    title: str
    rows: dict[str, str]
    """Name of a row to its title."""
    figures: tuple[str, ...] = ("mpjpe",)
    """Of `FIGURES`; the first one is plotted."""
    notes: tuple[str, ...] = ()
    plot: str = "bars"
    """'bars', 'line' or 'surface'."""

    def leaf(self, row: str) -> str:
        """Name of a row's config, without .py."""
        return f"table_{self.number.lower()}_{row}"


_WINDOW = "Which window and detector the paper took here was not at hand: the configs take 243 frames and CPN's 2D."
_LIMBS = ("right leg", "left leg", "right arm", "left arm")
TABLES = {
    table.number: table
    for table in (
        Table(
            "1",
            "Human3.6M, lifting",
            {
                "cpn_243": "CPN, 243 frames",
                "cpn_243_refine": "CPN, 243 frames, refined",
                "gt_243": "true 2D, 243 frames",
                "gt_243_refine": "true 2D, 243 frames, refined",
            },
            ("mpjpe", "p_mpjpe"),
            (
                "Refined rows are given the true depth of the root in test, as in the released code.",
                "Whether the paper's figures are refined ones was not at hand; they stand in the rows without.",
            ),
        ),
        Table(
            "2",
            "MPI-INF-3DHP, lifting",
            {"3dhp_81": "81 frames, pre-trained", "3dhp_81_scratch": "81 frames, without pre-training"},
            ("pck", "auc", "mpjpe"),
            ("In Human3.6M's 17 keypoints; MPI-INF-3DHP has no nose, so 16 of them are asked for and counted.",),
        ),
        Table(
            "3",
            "Lifting of occluded 2D",
            {
                "1_random": "1 random keypoint",
                "2_random": "2 random keypoints",
                "two_legs": "two legs",
                "two_arms": "two arms",
                "left_leg_left_arm": "left leg + left arm",
                "right_leg_right_arm": "right leg + right arm",
            },
            ("mpjpe", "hidden/mpjpe"),
            (
                "One model for all rows, trained on the hidden limbs of the rows and on one, two and six random "
                "keypoints; the released code trains on those of six only.",
                "Every frame of the test set counts once; the released evaluation counts a "
                "frame in every window that holds it.",
                "Limbs are the person's own; in the released code left and right are the other way round.",
                "The released decoders have two layers, of which pre-training fills none here.",
            ),
        ),
        Table(
            "4",
            "Completion of partial 3D",
            {limb.replace(" ", "_"): limb for limb in _LIMBS}
            | {f"{limb.replace(' ', '_')}_pretrained": f"{limb}, pre-trained model as it is" for limb in _LIMBS},
            ("mpjpe", "hidden/mpjpe"),
            (
                "MPJPE is of all 17 keypoints, of which 14 were given and have no error; the last column has the "
                "other three alone.",
                "Every frame of the test set counts once; the released evaluation counts a frame in every window that "
                "holds it.",
                "Limbs are the person's own: the paper's 'Left Leg' is, by the released code's indices, the right leg.",
            ),
        ),
        Table(
            "6",
            "What pre-training is on",
            {"scratch": "no pre-training", "2d": "2D", "2d_3d": "2D + 3D"},
            notes=(_WINDOW,),
        ),
        Table("A", "not known here", {}, notes=("What the paper's table A holds was not at hand, so nothing is run.",)),
        Table(
            "B",
            "Mask strategies of pre-training",
            {"spatial": "spatial", "temporal": "temporal", "spatio_temporal": "spatio-temporal"},
            notes=(
                _WINDOW,
                "All three hide about 71.8 % of the keypoints; the paper's shares were not at hand.",
            ),
        ),
        Table(
            "C",
            "How much pre-training hides (figure 6)",
            {
                f"keypoints_{number}_frames_{ratio}": f"{number} of 17 keypoints, {ratio} % of the frames"
                for number in (2, 5, 8)
                for ratio in (40, 60, 80)
            },
            notes=(_WINDOW, "A coarse grid around the paper's choice (5 and 60 %); its own points were not at hand."),
            plot="surface",
        ),
        Table(
            "E",
            "Amount of pre-training data (figure E)",
            {"small": "a quarter of the windows", "base": "half of them", "large": "all of them"},
            notes=(
                _WINDOW,
                "What the paper's Small, Base and Large hold was not at hand. All go through their windows equally "
                "often, so less data is also fewer steps.",
            ),
            plot="line",
        ),
        Table(
            "S1",
            "The strided decoder's residual path (a study of this project)",
            {
                "scratch_released": "no pre-training, carries frame 0, as released",
                "scratch_centre": "no pre-training, carries the target frame",
                "released": "2D + 3D, carries frame 0, as released",
                "centre": "2D + 3D, carries the target frame",
            },
        ),
        Table(
            "S2",
            "The loss of pre-training (a study of this project)",
            {"all": "all keypoints, as released", "hidden": "hidden keypoints alone"},
        ),
        Table(
            "S3",
            "Where a person stands in the image (a study of this project)",
            {
                "scratch": "no pre-training, 2D where it is in the image, as released",
                "scratch_apart": "no pre-training, 2D and its place apart",
                "pretrained": "2D + 3D, 2D where it is in the image, as released",
                "pretrained_apart": "2D + 3D, 2D and its place apart",
            },
        ),
    )
}


def paper_figures(table: Table, row: str) -> dict[str, float]:
    """The paper's figures of a row, those of `FIGURES` that are at hand.

    Raises:
        ValueError: a row or figure in the file that the table has not.
    """
    rows = json.loads(PAPER.read_text(encoding="utf-8")).get(table.number, {})
    for name, figures in rows.items():
        if name not in table.rows or set(figures) - set(table.figures) - {"source"}:
            raise ValueError(
                f"{PAPER}: table {table.number}, {name!r} with {sorted(figures)}: rows are {sorted(table.rows)}, "
                f"figures {table.figures} and 'source'"
            )
    return {name: value for name, value in rows.get(row, {}).items() if name != "source"}
