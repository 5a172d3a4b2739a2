import numpy as np
import pytest

from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.lifting.window_model import WindowModel
from mpm_mmpose.runtime.shipped import FOLDER
from studies.real.deepen import main

SHIPPED = FOLDER / "wild_27.pth"


def test_more_layers_give_the_same(tmp_path):
    old = WindowModel(build_lifter(None, SHIPPED, "cpu"))
    depth = len(old.model.backbone.temporal.layers) + 3
    assert main([str(SHIPPED), str(depth), str(tmp_path / "deep.pth")]) == 0
    new = WindowModel(build_lifter(None, tmp_path / "deep.pth", "cpu"))
    assert len(new.model.backbone.temporal.layers) == depth
    windows = np.random.default_rng(0).normal(0, 0.2, (2, new.window, 17, 2)).astype(np.float32)
    np.testing.assert_array_equal(new.sequences(windows, True), old.sequences(windows, True))


@pytest.mark.parametrize("depth", [1, 4])
def test_no_fewer_layers(tmp_path, capsys, depth):
    assert main([str(SHIPPED), str(depth), str(tmp_path / "deep.pth")]) == 2
    assert "ask for more than that" in capsys.readouterr().err and not list(tmp_path.iterdir())
