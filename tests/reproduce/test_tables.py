import json
from pathlib import Path

import pytest

from mpm_mmpose.reproduce import tables as module
from mpm_mmpose.reproduce.tables import FIGURES, TABLES, paper_figures

CONFIGS = Path(__file__).parents[2] / "configs/mpm"


def test_every_row_has_a_leaf_and_every_such_leaf_is_a_row():
    leaves = {table.leaf(row) for table in TABLES.values() for row in table.rows}
    assert leaves == {path.stem for path in CONFIGS.glob("table_*.py")}
    assert list(TABLES) == ["1", "2", "3", "4", "6", "A", "B", "C", "E", "S1", "S2", "S3"]
    assert all(set(table.figures) <= set(FIGURES) for table in TABLES.values())


def test_the_papers_figures_are_those_with_a_source():
    known = {(number, row): paper_figures(table, row) for number, table in TABLES.items() for row in table.rows}
    assert {key: figures for key, figures in known.items() if figures} == {
        ("1", "cpn_243"): dict(mpjpe=42.3),
        ("1", "gt_243"): dict(mpjpe=27.2),
        ("2", "3dhp_81"): dict(pck=98.6, auc=80.0, mpjpe=29.1),
        ("4", "right_leg"): dict(mpjpe=12.4),
    }
    sources = [
        row for key, rows in json.loads(module.PAPER.read_text()).items() if key != "about" for row in rows.values()
    ]
    assert all(len(row["source"]) > 5 for row in sources)


@pytest.mark.parametrize("rows", [{"left_hand": {"mpjpe": 1}}, {"left_leg": {"speed": 1}}])
def test_a_figure_for_no_row_or_column_is_told(rows, tmp_path, monkeypatch):
    file = tmp_path / "figures.json"
    file.write_text(json.dumps({"4": rows}))
    monkeypatch.setattr(module, "PAPER", file)
    with pytest.raises(ValueError, match=r"figures.json: table 4, '(left_hand|left_leg)'"):
        paper_figures(TABLES["4"], "right_leg")
