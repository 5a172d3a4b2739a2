import numpy as np
import pytest

from mpm_mmpose.evaluation import report
from mpm_mmpose.evaluation.metric import PoseErrorMetric
from mpm_mmpose.evaluation.protocol import PRESETS, Protocol, get_protocol

from .conftest import META


def lines_of(protocol, meta=META, keypoints="h36m_17", poses="10 of 12 predicted poses count", masked=()):
    lines = report.protocol_lines(protocol, meta, keypoints, poses, masked)
    return {line[2:16].strip(): line[16:] for line in lines[1:]}


def test_every_choice_is_printed():
    options = dict(
        keypoints=14,
        root=False,
        root_alignment="zeroed",
        average="actions",
        headline=("p_mpjpe", "auc"),
        annotation="annot3",
        block_list=("S9_Greeting*", "S11_*"),
        frames="target",
        frame_step=64,
        resample="recordings",
        resamples=500,
        seed=7,
        released=True,
    )
    found = lines_of(get_protocol("plain", **options), dict(META) | dict(annotation="annot3"), masked=("left_leg",))
    assert found == {
        "protocol": "plain, changed: " + ", ".join(options),
        "data set": "toy, 3 sequences, 50 frames a second; 10 of 12 predicted poses count",
        "keypoints": "14, those of the PCK groups of h36m_17",
        "root": "not counted; set to 0 in prediction and ground truth, the other keypoints stay",
        "headline": "P-MPJPE, AUC, mean over actions",
        "ground truth": "annot3, true 3D: every person in their own size; expected: annot3",
        "block list": "S9_Greeting*, S11_*",
        "frames": "target frames only, one in 64 of a sequence, of them those that the data set marks as visible",
        "PCK, AUC": "below 150 mm; mean over 0, 5, ..., 150 mm; 14 keypoints in 8 groups",
        "masked": "left_leg",
        "intervals": "95 %, 500 resamples of recordings, seed 7",
        "arithmetic": "ours, and the released one beside it",
    }


@pytest.mark.parametrize("name", PRESETS)
def test_no_two_protocols_print_the_same(name):
    found = lines_of(PRESETS[name])
    assert found.pop("protocol") == name
    for other, preset in PRESETS.items():
        assert other == name or {k: v for k, v in lines_of(preset).items() if k != "protocol"} != found


def test_what_the_data_do_not_say_is_said():
    found = lines_of(Protocol(), meta={}, keypoints=None)
    assert found["data set"].startswith("unnamed, unknown sequences; ")
    assert found["keypoints"] == "all of an unnamed set"
    assert found["ground truth"] == "not said by the data set (MPI-INF-3DHP has several)"
    assert found["block list"] == "empty"


def test_figures_with_intervals_and_reasons():
    frames = dict.fromkeys(("mpjpe", "p_mpjpe", "n_mpjpe", "auc"), 12.345) | {"pck": np.nan}
    actions = dict.fromkeys(frames, 20.0)
    intervals = {"frames": {"mpjpe": (11.0, 13.0)}, "actions": {"mpjpe": (18.0, 22.5)}}
    missing = dict(mpjve="no frames", acceleration="no frames")
    lines = report.headline_lines(get_protocol("h36m_p1"), frames, actions, intervals, missing)
    assert lines[1].split("  ")[1] == "MPJPE"
    assert "12.35 mm [11.00, 13.00]" in lines[1] or "12.34 mm [11.00, 13.00]" in lines[1]
    assert lines[1].endswith("20.00 mm [18.00, 22.50]   <- headline: actions")
    assert "  MPJVE               left out: no frames" in lines
    assert any(line.split()[:4] == ["PCK", "no", "visible", "keypoints"] for line in lines)
    missing["intervals"] = "there is one sequence only"
    lines = report.headline_lines(get_protocol("h36m_p1"), frames, actions, {"frames": {}, "actions": {}}, missing)
    assert lines[-1] == "  no intervals: there is one sequence only"


def test_long_tables_are_cut_and_say_so():
    row = dict(mpjpe=1.0, p_mpjpe=2.0, n_mpjpe=3.0, poses=4)
    rows = {f"action {i}": row for i in range(report.MOST_ROWS + 5)}
    lines = report.error_table("Errors", "action", rows, {"all poses": row})
    assert len(lines) == 3 + report.MOST_ROWS + 2
    assert lines[-1] == "... and 5 more: see the attributes of PoseErrorMetric"
    assert lines[-2].split() == ["all", "poses", "1.00", "2.00", "3.00", "4"]


def test_a_sequence_without_an_action_has_a_row():
    row = dict(mpjpe=1.0, p_mpjpe=2.0, n_mpjpe=3.0, poses=4)
    assert report.error_table("Errors", "action", {"": row})[-1].startswith("(no name) ")


def test_the_report_of_an_evaluation(poses):
    metric = PoseErrorMetric(protocol="h36m_p1")
    metric.dataset_meta = META
    metric.process(None, [poses.sample(slice(None))])
    found = metric.evaluate(200)
    lines = metric.report.splitlines()
    assert lines[0] == "Evaluation" and lines[1].split() == ["protocol", "h36m_p1"]
    quoted = next(line for line in lines if line.endswith("<- headline: actions"))
    low, high = (found[f"pose/mpjpe/{end}"] for end in ("low", "high"))
    assert f"{found['pose/mpjpe/mean_over_actions']:.2f} mm [{low:.2f}, {high:.2f}]" in quoted
    table = lines[lines.index("Pose error by action, mm") + 1 :]
    assert [line.split()[0] for line in table[:5]] == ["action", "Sitting", "Walking", "mean", "all"]
    assert table[1].split()[1:] == [
        f"{metric.by_action['Sitting'][e]:.2f}" for e in ("mpjpe", "p_mpjpe", "n_mpjpe")
    ] + ["60"]
    assert "Masked and given keypoints, mm" not in lines
    assert sum(line.startswith(("left_", "right_")) for line in lines) == 12


def test_where_something_was_masked_the_report_has_a_table_of_it(poses):
    metric = PoseErrorMetric(protocol="h36m_p1")
    metric.dataset_meta = META
    metric.process(None, [poses.sample(slice(None), masked=np.tile(np.arange(17) == 3, (200, 1)))])
    found = metric.evaluate(200)
    lines = metric.report.splitlines()
    table = lines[lines.index("Masked and given keypoints, mm") + 2 :]
    errors = {line[:16].strip(): line[16:].split() for line in table[:3]}
    assert list(errors) == ["all keypoints", "masked keypoints", "given keypoints"]
    assert errors["masked keypoints"][0] == f"{found['pose/masked/mpjpe']:.2f}"
