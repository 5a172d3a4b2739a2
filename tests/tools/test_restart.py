"""A training whose rank is killed, under torchrun as a user starts it, on the CPU."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from noise_clips import noise_clip

import mpm_mmpose.checkpoints.loading  # noqa: F401  (what may be in a checkpoint)
from mpm_mmpose.data import write_store

ROOT = Path(__file__).parents[2]
# Everything random is on: dropout, flips, masks, each rank its own. 2 epochs of 3 steps.
CONFIG = f"""
_base_ = ["{ROOT}/configs/mpm/pretrain_mocap_27.py"]

custom_imports = dict(imports=["mpm_mmpose.register", "killing"], allow_failed_imports=False)
model = dict(
    backbone=dict(num_frames=9, channels=16, hidden_channels=32, depth=1),
    head=dict(num_frames=9, channels=16, hidden_channels=32),
)
_windows = dict(window=9)
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=False, dataset=dict(dataset_2d=_windows, dataset_3d=_windows)
)
train_cfg = dict(max_epochs=2)
custom_hooks = [dict(type="RandomStateHook"), dict(type="Kill")]
"""
HOOK = """
import os
import signal
from pathlib import Path

from mmengine.hooks import Hook
from mmpose.registry import HOOKS


@HOOKS.register_module()
class Kill(Hook):
    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        with Path(runner.work_dir, f"steps_{runner.rank}").open("a") as file:
            file.write(f"{runner.epoch}.{batch_idx} ")
        first = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
        if first and "KILL" in os.environ and (runner.rank, runner.epoch, batch_idx) == (1, 1, 1):
            os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def train(tmp_path):
    write_store(tmp_path / "data/stores/mocap_train", [noise_clip("clip", 24, np.random.default_rng(0))])
    (tmp_path / "tiny.py").write_text(CONFIG)
    (tmp_path / "killing.py").write_text(HOOK)

    def train(work_dir, **env):
        # `timeout` ends the whole group of processes, should they wait for each other.
        command = [
            "timeout",
            "400",
            "bash",
            f"{ROOT}/tools/dist_train.sh",
            "tiny.py",
            "2",
            "--resume",
            "--work-dir",
            work_dir,
        ]
        where = dict(CUDA_VISIBLE_DEVICES="", PYTHON=sys.executable, PYTHONPATH=str(tmp_path), MAX_RESTARTS="1")
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | where | env, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        steps = (tmp_path / work_dir / "steps_1").read_text().split()
        return torch.load(tmp_path / work_dir / "epoch_2.pth"), steps

    return train


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_training_whose_rank_was_killed_ends_as_if_it_was_not(train):
    whole, steps = train("whole")
    assert steps == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.2"]
    killed, steps = train("killed", KILL="1")
    # The second epoch, cut off in its second step, begins again.
    assert steps == ["0.0", "0.1", "0.2", "1.0", "1.1", "1.0", "1.1", "1.2"]
    for name, value in whole["state_dict"].items():
        assert torch.equal(killed["state_dict"][name], value), name
    moments = [checkpoint["optimizer"]["state"] for checkpoint in (whole, killed)]
    assert all(torch.equal(moments[0][i][name], moments[1][i][name]) for i in moments[0] for name in moments[0][i])
