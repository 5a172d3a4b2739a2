import re

import pytest

from ..paper import ACTIONS, cell, contents, markdown, rows

#: Printed averages that are not those of their fifteen printed actions, however these were rounded.
CONTRADICTIONS = {
    ("Protocol #1 (GT)", "Zhang et al. [43]†", 243),
    ("Protocol #1 (CPN)", "Lin et al. [23]", 243),
    ("Protocol #2 (CPN)", "Lin et al. [23]", 50),
    ("Protocol #2 (CPN)", "Xu et al. [38]", 50),
}


def test_averages_of_table_1_are_those_of_their_actions():
    """Each figure is off by up to 0.05 from rounding, so the mean and the printed average by up to 0.1."""
    found = set()
    for row in rows("1"):
        values = [row[action] for action in ACTIONS]
        if None in values:
            assert row["method"] == "Lin et al. [23]" and set(values) == {None}
        elif abs(sum(values) / 15 - row["average"]) > 0.1 + 1e-9:
            found.add((row["block"], row["method"], row["frames"]))
    assert found == CONTRADICTIONS
    note = contents()["tables"]["1"]["notes"][-1]
    assert all(method.split(" [")[0] in note for _, method, _ in CONTRADICTIONS)


def test_figures_that_are_printed_twice_are_the_same():
    cpn = dict(method="MPM (ours)†", block="Protocol #1 (CPN)")
    aligned = dict(method="MPM (ours)†", block="Protocol #2 (CPN)")
    for frames in (81, 243):
        row = dict(layers=4, frames=frames, decoder="stage II")
        assert cell("1", "average", frames=frames, **cpn) == cell("A", "mpjpe", **row)
        assert cell("1", "average", frames=frames, **aligned) == cell("A", "p_mpjpe", **row)
    assert cell("6", "mpjpe", **{"3d": True}) == cell("A", "mpjpe", layers=4, frames=243, decoder="stage II") == 42.3
    assert cell("6", "p_mpjpe", **{"3d": True}) == 34.4
    true_2d = cell("1", "average", method="MPM (ours)†", block="Protocol #1 (GT)", frames=243)
    assert cell("D", "mpjpe", method="MPM(ours)") == true_2d == 27.2
    assert cell("B", "h36m_mpjpe", mask="Spatio-temporal") == cell("C", "0.6", keypoints=5) == 46.7
    assert [cell("2", name, method="MPM (ours)", frames=81) for name in ("pck", "auc", "mpjpe")] == [98.6, 79.5, 29.8]
    assert [cell("2", name, method="MPM (ours)", frames=243) for name in ("pck", "auc", "mpjpe")] == [98.4, 80.0, 29.1]


def test_the_numbers_of_samples_agree():
    """Small, Base and Large, and what section 4.2 says, from three data sets of the sizes in table E's note."""
    sizes = dict(h36m=5.73, amass=7.58) | {"3dhp": 5.22}
    for row in rows("E"):
        assert sum(row[name] * size for name, size in sizes.items()) == pytest.approx(row["samples_m"], abs=0.01)
    samples = contents()["recipe"]["samples_m"]
    assert samples["all_three"] == cell("E", "samples_m", setting="Large")
    assert sizes["h36m"] + sizes["amass"] == pytest.approx(samples["without_3dhp"])
    assert all(str(size) in contents()["tables"]["E"]["notes"][-1] for size in sizes.values())


def test_the_masking_ratio_is_that_of_its_two_parts():
    recipe = contents()["recipe"]
    total = 1 - (1 - recipe["frame_ratio"]) * (1 - recipe["masked_keypoints"] / recipe["keypoints"])
    assert total == pytest.approx(recipe["masked_total"], abs=5e-4)


def test_what_is_in_no_row_is_an_error():
    with pytest.raises(KeyError, match="0 such rows"):
        cell("6", "mpjpe", frames=81)
    with pytest.raises(KeyError, match="2 such rows"):
        cell("2", "pck", method="MPM (ours)")
    with pytest.raises(KeyError, match="or a dash"):
        cell("3", "Li et al. [18]", masked="2 Legs")


def test_a_printed_table_with_its_notes():
    text = markdown("B")
    assert "| Spatio-temporal | 46.7 | 97.9 | 97.7 | 72.2 | 41.4 |" in text and "97.9 in the column" in text
    assert "| 2 Legs | 62.1 | 108.6 | 53.5 | - |" in markdown("3")


def numbers(cells):
    return [float(text) for text in cells if re.fullmatch(r"\d+(\.\d+)?", text)]


def test_every_line_of_numbers_is_one_of_the_printed_text(paper_dir):
    """Against the text of the paper, where it is at hand: all of its table lines, in order, and no other ones."""
    text = (paper_dir / "mpm_paper.txt").read_text(encoding="utf-8")
    lines = [re.sub(r"<.*?>", "", line).split("\t") for line in text.splitlines() if line.count("\t") > 1]
    printed = [found for found in (numbers(line[1:]) for line in lines) if found]
    ours = [
        [float(value) for value in row[1:] if isinstance(value, int | float) and not isinstance(value, bool)]
        for number, table in contents()["tables"].items()
        for row in table["rows"]
        if number != "E"
    ]
    headers = [[0.4, 0.5, 0.6, 0.7, 0.8]]
    assert [found for found in printed if found not in headers] == ours
