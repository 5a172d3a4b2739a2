import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from .. import running
from ..data import Stores
from ..plan import Planner
from ..running import MARKER, Executor, FailedStepError
from ..tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"
LAUNCHER = Path(__file__).parents[3] / "tools/dist_train.sh"


def steps_of(row, budget, pair, seed=0):
    """Of the lifter of a row of table 6."""
    experiment = TABLES["6"].rows[row].tests["lifter/"]
    return list(Planner(budget, Stores(pair), CONFIGS).test(experiment, seed).before())


def times(out):
    return {path: path.stat().st_mtime_ns for path in out.rglob(MARKER)}


def test_steps_are_run_once_and_say_what_came_of_them(ci, pair, tmp_path):
    lift, test = steps_of("scratch", ci, pair)
    executor = Executor(tmp_path, LAUNCHER)
    executor.run([lift, test, lift])
    trained, tested = (executor.result(step) for step in (lift, test))
    assert (trained["batches"], trained["windows"], trained["epochs"]) == (2, 8, 1)
    assert trained["name"] == "table_6_scratch_lifter" and set(tested["by_action"]) == {"Walking", "Photo"}
    assert (lift.folder(tmp_path) / trained["checkpoint"]).is_file()
    assert tested["figures"]["mpjpe"] > 0 and tested["protocol"].startswith("h36m_p1") and "MPJPE" in tested["report"]
    before = times(tmp_path)
    Executor(tmp_path, LAUNCHER).run(steps_of("scratch", ci, pair))
    assert times(tmp_path) == before and len(before) == 2


def test_a_training_that_was_stopped_goes_on_and_ends_the_same(ci, pair, tmp_path, monkeypatch):
    budget = replace(ci, epochs=2, finetune_steps=4)
    (tmp_path / "whole").mkdir()
    lift, _ = steps_of("scratch", budget, pair)
    Executor(tmp_path / "whole", LAUNCHER).run([lift])

    class Stop(running._BarHook):
        def before_train_epoch(self, runner):
            if runner.epoch == 1:
                raise KeyboardInterrupt

    again, _ = steps_of("scratch", budget, pair)
    with monkeypatch.context() as patch:
        patch.setattr(running, "_BarHook", Stop)
        with pytest.raises(KeyboardInterrupt):
            Executor(tmp_path / "stopped", LAUNCHER).run([again])
    assert Executor(tmp_path / "stopped", LAUNCHER).result(again) is None
    (again, _) = steps_of("scratch", budget, pair)
    Executor(tmp_path / "stopped", LAUNCHER).run([again])
    # Nothing but resuming loads a checkpoint here. (mmengine's own log is begun anew by a run of the same second.)
    logs = {
        name: "".join(path.read_text() for path in (tmp_path / name).rglob("*.log")) for name in ("whole", "stopped")
    }
    assert "Loads checkpoint" in logs["stopped"] and "Loads checkpoint" not in logs["whole"]
    weights = [
        torch.load(step.folder(tmp_path / name) / "epoch_2.pth", weights_only=True)["state_dict"]
        for step, name in ((lift, "whole"), (again, "stopped"))
    ]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])


def test_two_commands_at_once_run_a_step_once(ci, pair, tmp_path, monkeypatch):
    (lift, _), (twin, _) = (steps_of("scratch", ci, pair) for _ in range(2))
    train, runs = Executor._train, []

    def train_and_be_asked_again(self, step, *rest):
        runs.append(step)
        other = threading.Thread(target=Executor(tmp_path, LAUNCHER).run, args=([twin],))
        other.start()
        other.join(1)
        assert other.is_alive(), "waits for the lock"
        runs.append(other)
        return train(self, step, *rest)

    monkeypatch.setattr(Executor, "_train", train_and_be_asked_again)
    Executor(tmp_path, LAUNCHER).run([lift])
    runs[1].join()
    assert len(runs) == 2 and runs[0] is lift


def test_fine_tuning_starts_from_its_own_pretraining(ci, pair, tmp_path):
    pretrain, lift, _ = steps_of("2d_3d", ci, pair)
    Executor(tmp_path, LAUNCHER).run([pretrain, lift])
    log = "".join(path.read_text() for path in lift.folder(tmp_path).rglob("*.log"))
    assert f"taken from {pretrain.folder(tmp_path)}/epoch_1.pth" in log


@pytest.mark.slow
def test_several_processes_share_the_batch(ci, pair, tmp_path):
    lift, _ = steps_of("scratch", ci, pair)
    Executor(tmp_path, LAUNCHER, gpus=2).run([lift])
    log = (lift.folder(tmp_path) / "training.log").read_text()
    assert "batch_size=2" in log and "Epoch(train) [1][2/2]" in log


def test_a_failed_training_names_its_log(ci, pair, tmp_path):
    no_launcher = tmp_path / "dist_train.sh"
    lift, _ = steps_of("scratch", ci, pair)
    with pytest.raises(FailedStepError, match=r"table_6_scratch_lifter ended with 127: see .*training.log"):
        Executor(tmp_path, no_launcher, gpus=2).run([lift])
    assert Executor(tmp_path, LAUNCHER).result(lift) is None
