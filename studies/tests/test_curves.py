import json

import numpy as np
import pytest
from PIL import Image

from ..curves import Curve, draw_loss_curves, read_scalars


def write_log(work_dir, run, lines):
    file = work_dir / run / "vis_data/scalars.json"
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(json.dumps(line) for line in lines))


def test_scalars_of_the_newest_run(tmp_path):
    write_log(tmp_path, "20260101_000000", [dict(loss=9.0, iter=1, step=1)])
    lines = [
        dict(loss=2.0, loss_2d=0.5, lr=1e-3, time=0.1, data_time=0.0, epoch=1, iter=10, step=10),
        {"pose/mpjpe": 70.0, "time": 1.0, "step": 1},
        dict(loss=1.0, loss_2d=0.25, lr=1e-3, time=0.1, data_time=0.0, epoch=2, iter=20, step=20),
    ]
    write_log(tmp_path, "20260102_000000", lines)
    scalars = read_scalars(tmp_path)
    np.testing.assert_array_equal(scalars["loss"], [[10, 20], [2, 1]])
    np.testing.assert_array_equal(scalars["loss_2d"].values, [0.5, 0.25])
    np.testing.assert_array_equal(scalars["pose/mpjpe"], [[1], [70]])
    assert not {"step", "iter", "epoch"} & set(scalars)


def test_missing_and_broken_logs_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no <time>/vis_data/scalars.json"):
        read_scalars(tmp_path)
    write_log(tmp_path, "20260101_000000", [])
    (tmp_path / "20260101_000000/vis_data/scalars.json").write_text('{"loss": 1}\n{"loss')
    with pytest.raises(ValueError, match=r"scalars.json, line 2: not a JSON object"):
        read_scalars(tmp_path)


def test_trainings_with_the_same_losses_share_a_panel(tmp_path):
    steps = np.arange(50.0)
    one = {"loss": Curve(steps, 2 * np.exp(-steps / 9)), "loss_2d": Curve(steps, np.exp(-steps / 9))}
    two = {"loss": Curve(steps, np.exp(-steps / 9)), "loss_target": Curve(steps, np.exp(-steps / 9))}
    alone = Image.open(draw_loss_curves({"a": one}, tmp_path / "a.png")).size
    shared = Image.open(draw_loss_curves({"a": one, "b": one}, tmp_path / "b.png")).size
    apart = Image.open(draw_loss_curves({"a": one, "b": two}, tmp_path / "c.png")).size
    assert alone == shared and apart == (2 * alone[0], alone[1])


def test_history_without_loss_is_named(tmp_path):
    with pytest.raises(ValueError, match="stage: no `loss` among the scalars, only lr"):
        draw_loss_curves({"stage": {"lr": Curve(np.ones(1), np.ones(1))}}, tmp_path / "a.png")
