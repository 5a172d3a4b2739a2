import csv
import io

from mpm_mmpose.reproduce.report import RowResult, cells, comma_separated, markdown
from mpm_mmpose.reproduce.tables import TABLES

ACTIONS = dict(
    average="actions",
    protocol="h36m_p1",
    figures={
        "mpjpe": 90.0,
        "mpjpe/mean_over_actions": 50.0,
        "mpjpe/low": 40.0,
        "mpjpe/high": 60.0,
        "hidden/mpjpe": 7.0,
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
        "hidden/mpjpe": 70.0,
    },
)
SECOND = FRAMES | dict(
    figures=FRAMES["figures"] | {"mpjpe": 14.0, "mpjpe/low": 12.0, "mpjpe/high": 18.0, "hidden/mpjpe": 80.0}
)


def test_the_figure_is_averaged_as_the_protocol_says():
    assert RowResult("two_legs", [ACTIONS]).measured("mpjpe").mean == 50.0
    assert RowResult("two_legs", [FRAMES]).measured("mpjpe").mean == 12.0
    assert RowResult("two_legs", [FRAMES]).measured("auc").mean is None


def test_cells_of_several_seeds():
    results = [RowResult("right_leg", [FRAMES, SECOND]), RowResult("left_leg", missing="no data")]
    head, rows = cells(TABLES["4"], results)
    assert head == [
        "row",
        *("MPJPE, mm: paper", "ours", "95 % interval", "seeds, from to"),
        *("MPJPE of hidden keypoints, mm: paper", "ours", "seeds, from to"),
        "protocol",
    ]
    assert rows == [
        ["right leg", "12.4", "13.0", "11.0 to 16.0", "12.0 to 14.0", "-", "75.0", "70.0 to 80.0", "plain"],
        ["left leg", "-", "-", "-", "-", "-", "-", "-", "-"],
    ]


def test_what_differs_and_what_is_missing_is_below_the_table():
    results = [RowResult("right_leg", [FRAMES]), RowResult("left_leg", missing="make it with h36m.py")]
    text = markdown(TABLES["4"], results, ["other data"], "table_4.png")
    below = text.split("What differs")[1]
    for said in ("- other data", "- left leg: not run. make it with h36m.py", "figures were not at hand for: left leg"):
        assert said in below
    assert "not at hand for: right leg" not in below and "![Completion of partial 3D](table_4.png)" in text


def test_csv_holds_numbers_in_full_and_nothing_where_there_is_none():
    results = [RowResult("right_leg", [FRAMES, SECOND]), RowResult("left_leg", missing="no data")]
    lines = list(csv.DictReader(io.StringIO(comma_separated(TABLES["4"], results))))
    first, second, third, _ = lines
    assert (first["row"], first["figure"], first["paper"], first["ours"], first["seeds"]) == (
        "right_leg",
        "mpjpe",
        "12.4",
        "13.0",
        "2",
    )
    assert (second["figure"], second["ours"], second["interval_low"]) == ("hidden/mpjpe", "75.0", "")
    assert (third["row"], third["ours"], third["seeds"], third["missing"]) == ("left_leg", "", "0", "no data")


def test_a_table_that_is_not_known_says_so():
    text = markdown(TABLES["A"], [], [])
    assert "No rows." in text and "What the paper's table A holds was not at hand" in text
