"""What the shell scripts start, with a stand-in for the interpreter and for Slurm that print what they are given."""

import os
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def run(tmp_path):
    programs = dict(
        python='echo "$@"',
        new_stores='echo "new stores: $TORCH_DISABLE_SHARE_RDZV_TCP_STORE"',
        srun='echo "srun $@" >&2; while [ "$1" != bash ]; do shift; done; SLURM_NODEID=1 SLURM_JOB_NODELIST=n "$@"',
        scontrol="printf 'node-a\\nnode-b\\n'",
    )
    for name, body in programs.items():
        (tmp_path / name).write_text(f"#!/usr/bin/env bash\n{body}\n")
        (tmp_path / name).chmod(0o755)

    def run(script, *arguments, **env):
        environment = dict(PATH=f"{tmp_path}:{os.environ['PATH']}", PYTHON=str(tmp_path / "python")) | env
        return subprocess.run(["bash", TOOLS / script, *arguments], env=environment, capture_output=True, text=True)

    return run


@pytest.mark.parametrize(
    ("script", "arguments", "program"),
    [
        ("dist_train.sh", ["c.py", "4", "--resume", "a b"], "train.py c.py --resume a b --launcher pytorch"),
        ("dist_test.sh", ["c.py", "e.pth", "4"], "test.py c.py e.pth --launcher pytorch"),
    ],
)
def test_torchrun_on_one_machine(run, script, arguments, program):
    done = run(script, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"-m torch.distributed.run --standalone --nproc_per_node=4 {TOOLS}/{program}\n"


def test_several_machines(run):
    done = run("dist_train.sh", "c.py", "4", NNODES="3", NODE_RANK="2", MASTER_ADDR="host", PORT="1234")
    assert " --nnodes=3 --node_rank=2 --master_addr=host --master_port=1234 --nproc_per_node=4 " in done.stdout


def test_a_chosen_port_is_taken(run):
    done = run("dist_train.sh", "c.py", "2", PORT="1234")
    assert " --nnodes=1 --node_rank=0 --master_addr=127.0.0.1 --master_port=1234 " in done.stdout


@pytest.mark.parametrize("resume", [["--resume"], ["--resume", "auto"], ["--resume=auto"], ["--resume", "--amp"]])
def test_restarts_go_on_from_the_last_checkpoint(run, resume):
    done = run("dist_train.sh", "c.py", "2", *resume, MAX_RESTARTS="3")
    assert done.stdout.startswith("-m torch.distributed.run --standalone --max_restarts=3 --nproc_per_node=2 ")


def test_a_restart_does_not_meet_the_dead(run, tmp_path):
    done = run("dist_train.sh", "c.py", "2", "--resume", MAX_RESTARTS="1", PYTHON=f"{tmp_path}/new_stores")
    assert done.stdout == "new stores: 1\n"


@pytest.mark.parametrize("resume", [[], ["--resume", "epoch_3.pth"], ["--resume=epoch_3.pth"]])
def test_restarts_that_would_begin_anew_are_refused(run, resume):
    done = run("dist_train.sh", "c.py", "2", *resume, MAX_RESTARTS="3")
    said = "MAX_RESTARTS=3 needs --resume, without a checkpoint: a restart goes on from the last one\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert run("dist_test.sh", "c.py", "e.pth", "2", MAX_RESTARTS="3").returncode == 0  # a test just begins anew


@pytest.mark.parametrize(("rank", "is_host"), [("0", 1), ("2", 0)])
def test_several_machines_hear_of_restarts(run, rank, is_host):
    where = dict(NNODES="3", NODE_RANK=rank, MASTER_ADDR="host", PORT="1234")
    done = run("dist_train.sh", "c.py", "4", "--resume", MAX_RESTARTS="1", **where)
    meeting = f"--nnodes=3 --rdzv_backend=c10d --rdzv_id=mpm --rdzv_conf=is_host={is_host} --rdzv_endpoint=host:1234"
    assert f" {meeting} --max_restarts=1 --nproc_per_node=4 " in done.stdout


@pytest.mark.parametrize(
    ("script", "arguments", "program"),
    [
        ("slurm_train.sh", ["part", "job", "c.py", "dir", "--resume"], "train.py c.py --work-dir dir --resume"),
        ("slurm_test.sh", ["part", "job", "c.py", "e.pth"], "test.py c.py e.pth"),
    ],
)
def test_slurm_starts_torchrun_on_every_node(run, script, arguments, program):
    done = run(script, *arguments, GPUS="16", GPUS_PER_NODE="8", SRUN_ARGS="--time 1:00 --mem 9G")
    assert done.returncode == 0, done.stderr
    srun = "--partition=part --job-name=job --nodes=2 --ntasks=2 --ntasks-per-node=1 --gres=gpu:8 --cpus-per-task=40"
    assert f"srun {srun} --kill-on-bad-exit=1 --time 1:00 --mem 9G bash -c" in done.stderr
    meeting = "--nnodes=2 --node_rank=1 --master_addr=node-a --master_port=29500 --nproc_per_node=8"
    assert done.stdout == f"-m torch.distributed.run {meeting} {TOOLS}/{program} --launcher pytorch\n"


def test_slurm_takes_whole_nodes_or_a_part_of_one(run):
    assert "--nodes=1 " in run("slurm_train.sh", "part", "job", "c.py", "dir", GPUS="2").stderr
    done = run("slurm_train.sh", "part", "job", "c.py", "dir", GPUS="12")
    assert (done.returncode, done.stderr) == (2, "GPUS=12 is not a multiple of GPUS_PER_NODE=8\n")


@pytest.mark.parametrize("script", ["dist_train.sh", "dist_test.sh", "slurm_train.sh", "slurm_test.sh"])
def test_too_few_arguments(run, script):
    done = run(script, "c.py")
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: bash tools/{script} ")
