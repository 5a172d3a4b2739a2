"""The commands as a user types them, on the CPU; every start costs seconds of imports, so there are few."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from noise_clips import noise_clip

from mpm_mmpose.checkpoints.loading import load_checkpoint
from mpm_mmpose.data import write_store
from mpm_mmpose.training.errors import TrainingStopped
from mpm_mmpose.training.work_dir_lock import lock_work_dir, unlock_work_dir

ROOT = Path(__file__).parents[2]
CONFIG = f"""
_base_ = ["{ROOT}/configs/mpm/lift_mocap_27.py"]

model = dict(
    data_preprocessor=dict(flip=False),
    backbone=dict(
        num_frames=9, channels=16, hidden_channels=32, depth=2, drop=0.0, attn_drop=0.0, mlp_drop=0.0, init_cfg=None
    ),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=32, drop=0.0, attn_drop=0.0),
)
_loader = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(batch_size=16, dataset=dict(window=9), **_loader)
val_dataloader = dict(dataset=dict(window=9), **_loader)
test_dataloader = dict(dataset=dict(window=9, store="data/stores/mocap_val"), **_loader)
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=1))
log_processor = dict(window_size=1)
"""


def run(*command, cwd, **env):
    """Run a command on the CPU, outside of the checkout; the number of processes must not change the figures."""
    environment = os.environ | dict(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", PYTHON=sys.executable) | env
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=240)


def scalars(work_dir, key):
    """What the runs in a work directory logged under a key, in the order of time."""
    lines = [
        line for file in sorted(work_dir.glob("*/vis_data/scalars.json")) for line in file.read_text().splitlines()
    ]
    return np.array([entry[key] for entry in map(json.loads, lines) if key in entry])


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a config and small stores: 48 windows to train with, 13 (an odd number) to test with."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "tiny.py").write_text(CONFIG)
    rng = np.random.default_rng(0)
    for store, lengths in (("mocap_train", (30, 18)), ("mocap_val", (7, 6))):
        sequences = [
            noise_clip(f"clip {i}", frames, rng, action=("walk", "wave")[i]) for i, frames in enumerate(lengths)
        ]
        write_store(folder / "data/stores" / store, sequences)
    return folder


@pytest.mark.slow
def test_two_processes_and_a_resumed_one_do_as_one_process_does(place):
    # One process; two with half the batch each; and the second epoch once more from the checkpoint of the first.
    train = [sys.executable, f"{ROOT}/tools/train.py", "tiny.py"]
    dist_train = ["bash", f"{ROOT}/tools/dist_train.sh", "tiny.py", "2"]
    for command in (
        [*train, "--work-dir", "one"],
        [*dist_train, "--work-dir", "two", "--cfg-options", "train_dataloader.batch_size=8"],
        [*train, "--work-dir", "resumed", "--resume", "one/epoch_1.pth"],
    ):
        done = run(*command, cwd=place)
        assert done.returncode == 0, done.stderr
        assert "eta:" in done.stderr + done.stdout

    # Sums in another order: rounding errors, which AdamW lets grow a little from step to step.
    one, two, resumed = (scalars(place / work_dir, "loss") for work_dir in ("one", "two", "resumed"))
    assert two.shape == (6,)
    np.testing.assert_allclose(two, one, rtol=1e-5)
    np.testing.assert_array_equal(resumed, one[3:])
    files = ("one/epoch_1.pth", "one/epoch_2.pth", "resumed/epoch_2.pth")
    half, whole, resumed = (load_checkpoint(place / file)["state_dict"] for file in files)
    assert all(torch.equal(whole[key], resumed[key]) for key in whole)
    # The poses are noise, whose loss need not fall, but the weights have to move.
    assert not any(torch.equal(half[key], whole[key]) for key in half if key.endswith("weight"))

    # Padded to 14 windows over two processes, the 13 windows count once each.
    command = ["bash", f"{ROOT}/tools/dist_test.sh", "tiny.py", "one/epoch_2.pth", "2", "--work-dir", "test"]
    command += ["--dump", "poses.npz"]
    tested = run(*command, cwd=place)
    assert tested.returncode == 0, tested.stderr
    error = json.loads(next((place / "test").glob("*/*.json")).read_text())
    validated = scalars(place / "one", "pose/mpjpe")
    assert error["pose/mpjpe"] == pytest.approx(validated[-1], rel=1e-6)
    with np.load(place / "poses.npz", allow_pickle=False) as dumped:
        assert dumped["prediction"].shape == dumped["ground_truth"].shape == (13, 17, 3)


@pytest.mark.slow
def test_means_for_gpus_are_asked_for_by_one_flag_each(place):
    # That the parts compile is tests/training/test_compilation.py's; compiling for real takes minutes.
    flags = ("--compile", "--save-memory", "--tf32")
    command = [sys.executable, f"{ROOT}/tools/train.py", "tiny.py", *flags, "--work-dir", "compiled"]
    done = run(*command, cwd=place, TORCHDYNAMO_DISABLE="1")
    assert done.returncode == 0, done.stderr
    assert "backbone and decoders are compiled" in done.stderr + done.stdout
    written = (place / "compiled/tiny.py").read_text()
    order = [written.index(hook) for hook in ("RandomStateHook", "TF32Hook", "ActivationCheckpointHook", "CompileHook")]
    assert order == sorted(order)


@pytest.mark.slow
def test_missing_data_is_the_last_word(tmp_path):
    done = run("bash", f"{ROOT}/tools/dist_train.sh", f"{ROOT}/configs/mpm/pretrain_h36m_amass.py", "2", cwd=tmp_path)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("error: data/stores/h36m_train")
    assert "tools/dataset_converters" in last


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train.py", "no.py"], "argument config: no such file: no.py"),
        (["test.py", "tiny.py", "no.pth"], "argument checkpoint: no such file: no.pth"),
        (["train.py", "tiny.py", "--resume", "no.pth"], "argument --resume: no such file: no.pth"),
        (["train.py", "tiny.py", "--amp"], "--amp needs CUDA: mmengine's AmpOptimWrapper refuses to train elsewhere"),
        (["train.py", "tiny.py", "--cfg-options", "epochs"], "--cfg-options: expected KEY=VALUE, got 'epochs'"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(place, arguments, said):
    done = run(sys.executable, f"{ROOT}/tools/{arguments[0]}", *arguments[1:], cwd=place)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(said)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (
            ["train.py", "tiny.py", "--cfg-options", "train_cfg.max_epoch=3"],
            2,
            "did you mean 'train_cfg.max_epochs'",
        ),
        (
            ["train.py", "tiny.py", "--cfg-options", "train_dataloader.persistent_workers=True"],
            2,
            "give train_dataloader.persistent_workers=False with it",
        ),
        (
            ["train.py", "tiny.py", "--cfg-options", "train_dataloader.dataset.store=gone"],
            1,
            "gone",
        ),
        (["train.py", "tiny.py", "--work-dir", "tiny.py"], 1, "tiny.py"),
    ],
)
def test_what_is_wrong_is_not_below_the_log(place, arguments, code, said):
    done = run(sys.executable, f"{ROOT}/tools/{arguments[0]}", *arguments[1:], cwd=place)
    assert done.returncode == code, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("error: ") and said in last
    assert "System environment" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_ctrl_c_says_what_is_kept_and_two_trainings_do_not_share_a_work_directory(place):
    workers = [
        f"{loader}_dataloader.{key}"
        for loader in ("train", "val")
        for key in ("num_workers=2", "persistent_workers=True")
    ]
    command = [sys.executable, f"{ROOT}/tools/train.py", "tiny.py", "--work-dir", "stopped"]
    command += ["--cfg-options", "train_cfg.max_epochs=100000", *workers]
    environment = os.environ | dict(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1")
    with open(place / "said", "w+") as said:
        training = subprocess.Popen(
            command,
            cwd=place,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # Shells let what they run in the background ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        try:
            deadline = time.monotonic() + 240
            # Not while processes are started, where Python may lose the signal.
            while not (place / "stopped/epoch_4.pth").exists():
                assert training.poll() is None and time.monotonic() < deadline
                time.sleep(0.2)
            with pytest.raises(TrainingStopped, match="another training is under way"):
                lock_work_dir(place / "stopped")
            os.killpg(training.pid, signal.SIGINT)  # as a terminal does: to the processes that read data, too
            assert training.wait(120) == 130
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(training.pid, signal.SIGKILL)
        said.seek(0)
        text = said.read()
    kept = (place / "stopped/last_checkpoint").read_text()
    assert text.splitlines()[-1] == (
        f"interrupted: {kept} in stopped is kept; the same command with --resume goes on from it"
    )
    assert "Traceback" not in text
    assert (place / "stopped" / kept).is_file()
    lock_work_dir(place / "stopped")
    unlock_work_dir(place / "stopped")


@pytest.mark.parametrize("tool", ["train.py", "test.py"])
def test_help_imports_nothing_heavy(tool, tmp_path):
    program = f"import runpy, sys; sys.argv = ['{tool}', '--help']; sys.path.insert(0, '{ROOT}/tools')\n"
    program += f"try: runpy.run_path('{ROOT}/tools/{tool}', run_name='__main__')\n"
    program += "finally: print(sorted({'torch', 'mmengine', 'numpy'} & set(sys.modules)))"
    done = run(sys.executable, "-c", program, cwd=tmp_path)
    assert done.stdout.startswith(f"usage: {tool}")
    assert done.stdout.endswith("[]\n")


@pytest.mark.parametrize("arguments", [["test.py", "tiny.py"], ["train.py", "tiny.py", "--resume"]])
def test_a_checkpoint_of_another_model_is_the_last_word_and_the_only_one(trained_lifter, place, arguments):
    """Not a figure, and not a line in the middle of a log: nothing has started yet."""
    tool, *arguments = *arguments, str(trained_lifter[1])
    done = run(sys.executable, f"{ROOT}/tools/{tool}", *arguments, "--work-dir", "no", cwd=place)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(
        f"error: {trained_lifter[1]}: these weights lack 12 tensors, the first of which is 'backbone."
    )
    assert last.endswith("they are not of tiny.py: give config and checkpoint of one training")
    assert len(done.stderr.splitlines() + done.stdout.splitlines()) < 10 and not (place / "no").exists()


def test_a_config_with_hooks_of_its_own_looks_at_checkpoints_all_the_same(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(f"{ROOT}/tools")
    from command_line import read_config

    for name, hooks in dict(none="", own="custom_hooks = [dict(type='EMAHook')]", ours=None).items():
        config = tmp_path / f"{name}.py"
        base = "" if hooks is not None else f"_base_ = ['{ROOT}/configs/mpm/_base_/default_runtime.py']"
        config.write_text(f"{base}\n{hooks or ''}\n")
        args = SimpleNamespace(config=str(config), cfg_options={}, launcher="none", work_dir=None)
        cfg = read_config(args)
        types = [hook.type for hook in (*cfg.custom_hooks, *cfg.get("default_hooks", {}).values())]
        for hook in ("CheckpointContentHook", "WorkDirHook"):
            assert sum(type.endswith(hook) for type in types) == 1
        assert ("EMAHook" in types) == (name == "own")


@pytest.mark.slow
def test_a_store_with_one_nan_trains_nothing(place, tmp_path):
    """With the loaders that the configs ship, which have processes of their own."""
    rng = np.random.default_rng(0)
    write_store(tmp_path / "store", [noise_clip("clip", 30, rng)])
    keypoints = np.load(tmp_path / "store/keypoints.npy", mmap_mode="r+")
    keypoints[5, 3, 0] = np.nan
    keypoints.flush()
    options = ["train_dataloader.dataset.store=" + str(tmp_path / "store"), "train_dataloader.num_workers=2"]
    options += ["train_dataloader.persistent_workers=True", "train_dataloader.dataset.frame_step=2"]
    command = [sys.executable, f"{ROOT}/tools/train.py", "tiny.py", "--work-dir", str(tmp_path / "work")]
    result = run(*command, "--cfg-options", *options, cwd=place)
    last = result.stderr.strip().splitlines()[-1]
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert last.startswith("error: ") and "keypoints.npy: sequence 'clip' has nan in frame 5" in last
    assert not list((tmp_path / "work").glob("*.pth"))
