import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CONFIG = ROOT / "configs/mpm/pretrain_h36m_amass.py"


@pytest.fixture
def model():
    from .. import scaling_model

    return scaling_model


@pytest.fixture
def workload(model):
    """1 TFLOP a window, a store of 1 TB, two gradient messages of which the last one is the longer."""
    return model.Workload(
        name="made up",
        windows=1_000_000_000,
        epochs=2,
        flops=1e12,
        frame_bytes=1000,
        window_bytes=100_000,
        device_bytes=500,
        gradients=(8_000_000, 16_000_000),
        batchnorm=(2000, 2000, 2000, 2000),
        other=(20,),
        other_each=(8020,),
    )


def test_bytes_cross_links_and_networks(model):
    machine = model.Machine()  # 200 GB/s between the GPUs of a node, 50 between nodes, 20 us a hop
    assert model.all_reduce(machine, 1, 16e6) == 0
    assert model.all_reduce(machine, 8, 16e6) == pytest.approx(140e-6 + 2 * 3 * 20e-6)
    assert model.all_reduce(machine, 64, 16e6) == pytest.approx(140e-6 + 560e-6 + 2 * 6 * 20e-6)
    assert (model.network_bytes(machine, 8, 16e6), model.network_bytes(machine, 64, 16e6)) == (0, 28e6)


def test_a_step_waits_for_what_is_not_hidden_behind_the_backward_pass(model, workload):
    machine = model.Machine(product_tflops=500, share=0.2)  # 10 ms a window
    step = model.step(workload, machine, gpus=8, batch=8)
    last, other = (model.all_reduce(machine, 8, size) for size in (16e6, 20))
    pair = model.all_reduce(machine, 8, 4000)
    assert (step.products, step.compute) == (pytest.approx(0.01), pytest.approx(0.01))
    assert step.messages == pytest.approx(last + 2 * pair + other)
    own = model.step(workload, machine, gpus=8, batch=8, sync_batchnorm=False)
    assert own.messages == pytest.approx(last + model.all_reduce(machine, 8, 8020))
    # On a slow network the backward pass, 2 / 3 of 10 ms, hides only a part.
    slow = model.Machine(product_tflops=500, share=0.2, network_gb_s=1)
    both = sum(model.all_reduce(slow, 16, size) for size in workload.gradients)
    step = model.step(workload, slow, gpus=16, batch=16, sync_batchnorm=False)
    assert step.messages == pytest.approx(both - 0.02 / 3 + model.all_reduce(slow, 16, 8020))
    assert step.held_up_by == "messages"


def test_feeding_a_node(model, workload):
    machine = model.Machine(node_memory_gb=750, workers=2, worker_gb_s=0.5, memory_gb_s=100, storage_gb_s=2)
    step = model.step(workload, machine, gpus=16, batch=160)  # 1 MB a GPU, 8 MB a node
    assert step.loader == pytest.approx(1e-3)
    assert step.memory == pytest.approx(8e6 * 5 / 100e9)
    assert step.storage == pytest.approx(8e6 / 4 / 2e9)  # a quarter of the store is not in memory
    assert model.step(workload, model.Machine(node_memory_gb=1000), 16, 160).storage == 0


@pytest.mark.parametrize(
    ("assumed", "saturated"),
    [
        (dict(), "products"),
        (dict(product_tflops=1e6), "starting kernels"),
        (dict(product_tflops=1e6, latency_us=1000), "messages"),
        (dict(worker_gb_s=1e-4), "loaders"),
        (dict(memory_gb_s=1e-3), "memory"),
        (dict(node_memory_gb=1, storage_gb_s=1e-3), "storage"),
    ],
)
def test_what_is_saturated_first(model, workload, assumed, saturated):
    step = model.step(workload, model.Machine(**assumed), gpus=8, batch=80)
    assert step.held_up_by == saturated
    assert step.total == max(step.compute + step.messages, step.loader, step.memory, step.storage)


def test_hours(model, workload):
    assert model.hours(workload, batch=1000, seconds_a_step=0.018) == pytest.approx(10)


def run(tool, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"studies.speed.{tool}", *arguments],
        capture_output=True,
        text=True,
        timeout=280,
        cwd=ROOT,
    )


@pytest.mark.slow
def test_what_a_step_sends():
    done = run("measure_communication", CONFIG, "--json")
    assert done.returncode == 0, done.stderr
    synced, own = json.loads(done.stdout)
    assert (synced["sync_batchnorm"], own["sync_batchnorm"]) == (True, False)
    for row in (synced, own):
        assert sum(row["gradients"]) == 4 * row["parameters"] == 4 * 4_015_962
    # 512 channels twice in the shared block and once in the encoder, 256 in the decoder; of 2D and of 3D. Sums of both
    # passes are two messages, one of them with the number of samples.
    layers = 2 * [512, 512, 512, 256]
    assert sorted(synced["batchnorm"]) == sorted(
        4 * (size + extra) for size in layers for extra in (0, 1) for _ in "fb"
    )
    assert own["batchnorm"] == []
    # loss, two parts of it and two errors; then the running mean and variance of each layer, the shared ones once.
    assert (synced["other"], own["other"]) == ([4 * 5], [4 * (5 + 2 * (4 * 512 + 2 * 256))])


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("measure_communication", ["no.py"], "argument configs: no such file: no.py"),
        ("scaling", ["--gpus", "8", "0"], "--gpus: give more than 0"),
        ("scaling", ["--price", "-1"], "--price: give more than 0"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(tool, arguments, said):
    done = run(tool, *arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(said)
