import csv
import re
from pathlib import Path

import pytest

from ..data import Stores
from ..plan import MissingDataError
from ..reproduce import reproduce
from ..running import MARKER
from ..tables import TABLES

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Folder of the results of all tables, which share their steps."""
    return tmp_path_factory.mktemp("results")


def lines_of(folder, number):
    with open(folder / f"table_{number.lower()}.csv", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("number", TABLES)
def test_every_table_from_stores_to_picture(number, ci, paper_stores, results, monkeypatch):
    """Each table as the README types it, on stores of the right names, at the smallest budget."""
    monkeypatch.chdir(paper_stores)
    table = TABLES[number]
    rows = list(table.rows)
    if number == "C":  # cells differ in two numbers; all of their configs are looked at in test_tables
        rows = ["keypoints_2_frames_40", "keypoints_5_frames_60", "keypoints_9_frames_80"]
    text = reproduce(number, rows, Stores(), ci, ROOT, results, command=f"--table {number}")
    assert (results / f"table_{number.lower()}.md").read_text() == text
    lines = lines_of(results, number)
    assert [(line["row"], line["figure"]) for line in lines] == [
        (row, figure) for row in rows for figure in table.figures
    ]
    for line in lines:
        if (number, line["row"]) == ("A", "decoder_i") and line["figure"].startswith("lifter/"):
            assert not line["ours"]  # is not refined
            continue
        assert float(line["ours"]) > 0 and line["seeds"] == "1" and not line["missing"]
        if line["interval_low"]:
            assert float(line["interval_low"]) <= float(line["interval_high"])
        assert re.search(rf"\| {re.escape(line['title'])} .*{float(line['ours']):.1f}", text)
    assert (results / f"table_{number.lower()}.png").exists() == bool(table.plot)
    assert f"--table {number}" in text
    if number != "5":
        assert f"tested on {'mpi_inf_3dhp_test' if number in '2E' else 'h36m'}" in text
    if number == "1":
        assert "## MPJPE, mm, by action" in text and "| CPN, 81 frames | paper | 39.7 |" in text
    if number == "4":  # masked keypoints carry all of the error where the others were given
        found = {(line["row"], line["figure"]): float(line["ours"]) for line in lines}
        for row in table.rows:
            assert found[row, "mpjpe"] * 17 == pytest.approx(found[row, "masked/mpjpe"] * 3, rel=1e-4)


def test_what_is_done_is_printed_again_without_running(ci, pair, tmp_path):
    first = reproduce("6", ["scratch"], Stores(pair), ci, ROOT, tmp_path)
    done = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(MARKER)}
    assert reproduce("6", ["scratch"], Stores(pair), ci, ROOT, tmp_path) == first
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob(MARKER)} == done and len(done) == 4


def test_seeds_are_repetitions(ci, pair, tmp_path):
    text = reproduce("6", ["scratch"], Stores(pair), ci, ROOT, tmp_path, seeds=2)
    line = lines_of(tmp_path, "6")[0]
    assert line["seeds"] == "2"
    assert float(line["smallest"]) < float(line["ours"]) < float(line["largest"])
    assert float(line["smallest"]) + float(line["largest"]) == pytest.approx(2 * float(line["ours"]))
    assert "Means over 2 seeds" in text


def test_rows_without_data_are_rows_that_say_so(ci, pair, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stores = Stores([f"h36m_train={pair[0]}", f"h36m_test={pair[1]}"])
    text = reproduce("6", ["scratch", "2d"], stores, ci, ROOT, tmp_path)
    assert re.search(r"\| no pre-training \| 43.1 \| \d+\.\d \| .* h36m_p1", text)
    assert re.search(r"\| 2D \| 42.9 \| - \| - \| 34.6 \| - \|", text)
    assert re.search(r"- 2D: not run. .*amass_train: there is no pose store here.*tools/dataset_converters/amass", text)


def test_no_data_at_all_is_an_error_and_leaves_nothing(ci, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingDataError, match=r"h36m_test: there is no pose store here.*h36m.py"):
        reproduce("1", list(TABLES["1"].rows), Stores(), ci, ROOT, tmp_path)
    assert not list(tmp_path.iterdir())


def test_nothing_is_tested_on_what_it_was_trained_on(ci, pair, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stores = Stores([f"h36m_train={pair[0]}", f"h36m_test={pair[0]}"])
    with pytest.raises(ValueError, match="some_train: trained on and tested on"):
        reproduce("6", ["scratch"], stores, ci, ROOT, tmp_path)
    with pytest.raises(ValueError, match="nothing here reads a store called h36m_tset"):
        reproduce("6", ["scratch"], Stores([f"h36m_tset={pair[0]}"]), ci, ROOT, tmp_path)
