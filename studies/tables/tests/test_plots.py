import numpy as np
import pytest
from PIL import Image

from .. import plots
from ..report import RowResult
from ..tables import TABLES


def row_of(row, values, windows=0):
    tests = [
        {
            "": dict(
                average="frames",
                protocol="plain",
                figures={"mpjpe": v, "mpjpe/low": v - 2, "mpjpe/high": v + 3, "pck": v},
            )
        }
        for v in values
    ]
    return RowResult(row, tests, [dict(kind="pre-train", windows=windows), dict(kind="fine-tune", windows=9)])


@pytest.fixture
def axes(monkeypatch):
    """The axes of the last picture that was drawn."""
    made = []
    new = plots.new_figure
    monkeypatch.setattr(plots, "new_figure", lambda *size, **more: made.append(new(*size, **more)) or made[-1])
    return lambda: made[-1].axes[0]


def drawn(path):
    pixels = np.asarray(Image.open(path).convert("RGB"))
    return (pixels != 255).any(-1).mean()


def test_bars_are_as_long_as_the_figures_and_the_paper_is_marked(tmp_path, axes):
    results = [row_of("right_leg", [20.0, 30.0]), row_of("left_leg", [10.0]), RowResult("left_arm", missing="-")]
    path = plots.draw(TABLES["4"], results, tmp_path / "bars.png")
    assert [bar.get_width() for bar in axes().patches] == [25.0, 10.0]
    assert [tick.get_text() for tick in axes().get_yticklabels()] == ["right leg", "left leg"]
    lines = {tuple(line.get_xdata()) for line in axes().lines}
    assert lines == {(23.0, 28.0), (20.0, 30.0), (8.0, 13.0), (13.0, 13.0), (12.4, 12.4)}
    assert drawn(path) > 0.02


def test_the_line_is_over_the_windows_of_pretraining(tmp_path, axes):
    results = [
        row_of(row, [value], n) for row, value, n in [("small", 60.0, 100), ("base", 50.0, 200), ("large", 45.0, 400)]
    ]
    plots.draw(TABLES["E"], results, tmp_path / "line.png")
    (x, y) = axes().lines[0].get_data()
    assert (list(x), list(y)) == ([100, 200, 400], [60, 50, 45])


def test_the_surface_has_each_value_in_its_place(tmp_path, axes):
    results = [row_of(f"keypoints_{k}_frames_{f}", [10 * k + f]) for k, f in [(2, 40), (2, 80), (9, 40)]]
    plots.draw(TABLES["C"], results, tmp_path / "surface.png")
    values = np.ma.filled(axes().images[0].get_array(), np.nan)
    np.testing.assert_array_equal(values, [[60, 100], [130, np.nan]])
    assert [text.get_text() for text in axes().texts] == ["60.0", "100.0", "130.0"]


def test_nothing_measured_is_no_picture(tmp_path):
    assert plots.draw(TABLES["4"], [RowResult("left_leg", missing="no data")], tmp_path / "none.png") is None
    assert not (tmp_path / "none.png").exists()


@pytest.mark.parametrize("table", [number for number, table in TABLES.items() if table.plot])
def test_no_text_leaves_the_picture(tmp_path, monkeypatch, table):
    made = []
    new = plots.new_figure
    monkeypatch.setattr(plots, "new_figure", lambda *size, **more: made.append(new(*size, **more)) or made[-1])
    results = [row_of(row, [50.0 + 3 * i, 60.0], 100 * 2**i) for i, row in enumerate(TABLES[table].rows)]
    for result in results:
        result.tests[0][""]["figures"] |= dict.fromkeys(("pck", "masked/mpjpe", "p_mpjpe"), 50.0)
    plots.draw(TABLES[table], results, tmp_path / f"{table}.png")
    (picture,) = made
    box, (width, height) = picture.get_tightbbox(), picture.get_size_inches()
    assert box.x0 >= 0 and box.y0 >= 0 and box.x1 <= width and box.y1 <= height
