import csv
import io

from ..paper import ACTIONS as HUMAN36M
from ..report import RowResult, cells, comma_separated, markdown
from ..tables import TABLES

ACTIONS = dict(
    average="actions",
    protocol="h36m_p1",
    figures={
        "mpjpe": 90.0,
        "mpjpe/mean_over_actions": 50.0,
        "mpjpe/low": 40.0,
        "mpjpe/high": 60.0,
        "masked/mpjpe": 7.0,
    },
)
FRAMES = dict(
    average="frames",
    protocol="plain",
    figures={
        "mpjpe": 12.0,
        "mpjpe/mean_over_actions": 99.0,
        "mpjpe/low": 10.0,
        "mpjpe/high": 14.0,
        "masked/mpjpe": 70.0,
    },
)
SECOND = FRAMES | dict(
    figures=FRAMES["figures"] | {"mpjpe": 14.0, "mpjpe/low": 12.0, "mpjpe/high": 18.0, "masked/mpjpe": 80.0}
)


def test_the_figure_is_averaged_as_the_protocol_says():
    assert RowResult("two_legs", [{"": ACTIONS}]).measured("mpjpe").mean == 50.0
    assert RowResult("two_legs", [{"": FRAMES}]).measured("mpjpe").mean == 12.0
    assert RowResult("two_legs", [{"": FRAMES}]).measured("auc").mean is None


def test_cells_of_several_seeds():
    results = [RowResult("right_leg", [{"": FRAMES}, {"": SECOND}]), RowResult("left_leg", missing="no data")]
    head, rows = cells(TABLES["4"], results)
    assert head == [
        "row",
        *("MPJPE, mm: paper", "ours", "95 % interval", "seeds, from to"),
        *("MPJPE of masked keypoints, mm", "seeds, from to"),
        "protocol",
    ]
    assert rows == [
        ["right leg", "13.0", "13.0", "11.0 to 16.0", "12.0 to 14.0", "75.0", "70.0 to 80.0", "plain"],
        ["left leg", "12.4", "-", "-", "-", "-", "-", "-"],
    ]


def test_what_differs_and_what_is_missing_is_below_the_table():
    results = [RowResult("right_leg", [{"": FRAMES}]), RowResult("left_leg", missing="make it with h36m.py")]
    text = markdown(TABLES["4"], results, ["other data"], "table_4.png")
    below = text.split("What differs")[1]
    for said in ("- other data", "- left leg: not run. make it with h36m.py"):
        assert said in below
    assert "![Completion of partial 3D](table_4.png)" in text
    assert "## As printed" in below and "| Left Leg | 12.4 | 14.3 | 5.8 |" in below


def test_csv_holds_numbers_in_full_and_nothing_where_there_is_none():
    results = [RowResult("right_leg", [{"": FRAMES}, {"": SECOND}]), RowResult("left_leg", missing="no data")]
    lines = list(csv.DictReader(io.StringIO(comma_separated(TABLES["4"], results))))
    first, second, third, _ = lines
    assert (first["row"], first["figure"], first["paper"], first["ours"], first["seeds"]) == (
        "right_leg",
        "mpjpe",
        "13.0",
        "13.0",
        "2",
    )
    assert (second["figure"], second["ours"], second["interval_low"]) == ("masked/mpjpe", "75.0", "")
    assert (third["row"], third["ours"], third["seeds"], third["missing"]) == ("left_leg", "", "0", "no data")


def test_parts_of_a_row_are_told_apart_by_the_names_of_their_figures():
    tests = {"": ACTIONS, "lifter/": FRAMES, "3dhp/": SECOND}
    result = RowResult("spatial", [tests])
    found = {name: result.measured(name).mean for name in ("mpjpe", "lifter/mpjpe", "3dhp/mpjpe", "masked/mpjpe")}
    assert found == {"mpjpe": 50.0, "lifter/mpjpe": 12.0, "3dhp/mpjpe": 14.0, "masked/mpjpe": None}
    assert RowResult("decoder_i", [{"": FRAMES}]).measured("lifter/mpjpe").mean is None
    assert result.measured("lifter/mpjpe").interval == (10.0, 14.0) and result.protocol == "h36m_p1, plain"


def test_counted_figures_need_no_test():
    result = RowResult("encoder_2d", [{}], counted=dict(parameters_k=17.92))
    head, (line,) = cells(TABLES["5"], [result])
    assert head[:3] == ["row", "parameters, K: paper", "ours"] and line[:3] == ["2D Encoder", "17.9", "17.9"]


def test_actions_stand_below_where_both_know_them():
    by_action = {action: dict(mpjpe=40.0 + i) for i, action in enumerate(HUMAN36M)}
    result = RowResult("cpn_81", [{"": ACTIONS | dict(by_action=by_action)}])
    text = markdown(TABLES["1"], [result], [])
    assert "## MPJPE, mm, by action" in text and "## P-MPJPE" not in text
    assert "| CPN, 81 frames | paper | 39.7 | 43.2 | 39.9 |" in text
    assert "| CPN, 81 frames | ours | 40.0 | 41.0 | 42.0 |" in text
    other = RowResult("cpn_81", [{"": ACTIONS | dict(by_action=dict(walk=dict(mpjpe=1.0)))}])
    assert "by action" not in markdown(TABLES["1"], [other], [])
