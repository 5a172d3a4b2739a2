"""The functions in this process; the layers in two processes, which run this file as their program (see main).

What training in several processes learns is in test_distributed_training.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from mpm_mmpose.training.distributed import (
    CPUSyncBatchNorm,
    ProcessError,
    average_over_ranks,
    running_statistics,
    start_processes,
    stop_processes,
    synchronise_batchnorm,
)

SHARES = (slice(0, 3), slice(3, 8))  # samples of the two ranks


class TinyModel(BaseModel):
    def __init__(self):
        super().__init__(BaseDataPreprocessor())
        self.layers = nn.Sequential(nn.Linear(4, 6, bias=False), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 2))

    def forward(self, x, y, mode="loss"):
        return dict(loss=(self.layers(x) - y).square().mean())


def samples(shape=(8, 3, 5)):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1)) * 3 + 100


def batchnorm(kind):
    norm = kind(3, momentum=0.3).double().train()
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0]))
        norm.bias.copy_(torch.tensor([1.0, 0.0, -1.0]))
    return norm


def normalise(norm, share):
    x = samples()[share].requires_grad_()
    y = norm(x)
    weights = torch.arange(y[0].numel()).view_as(y[0]).cos()
    (y.square() * weights * (1 + torch.arange(8)[share].view(-1, 1, 1))).sum().backward()
    return dict(y=y.detach(), x_grad=x.grad, weight_grad=norm.weight.grad, **norm.state_dict())


def tiny_model():
    torch.manual_seed(3)
    return TinyModel()


def refusal(wrapped):
    """What a static graph says to accumulated gradients."""
    optim_wrapper = OptimWrapper(torch.optim.SGD(wrapped.parameters(), lr=0.1), accumulative_counts=2)
    with pytest.raises(ValueError) as refused:
        wrapped.train_step(dict(x=torch.ones(4, 4), y=torch.ones(4, 2)), optim_wrapper)
    return str(refused.value)


def work():
    """What each of two processes computes: the results of both."""
    rank = dist.get_rank()
    wrapper = dict(type="MPMDistributedDataParallel", device_ids=[rank], static_graph=True)
    wrapped = MODEL_WRAPPERS.build(wrapper, default_args=dict(module=tiny_model()))
    runner = [wrapped]
    runner.append(runner)  # as mmengine's Runner, which is part of reference cycles
    said = refusal(wrapped)
    means = [torch.tensor([1.0 + rank, 5.0]), torch.tensor([[8.0 * rank]])]
    average_over_ranks(means)
    norm = normalise(batchnorm(CPUSyncBatchNorm), SHARES[rank])
    lone = batchnorm(CPUSyncBatchNorm)
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        lone(torch.ones(1 - rank, 3, dtype=torch.float64))  # one sample, on rank 0
    assert torch.equal(lone.running_var, torch.ones(3, dtype=torch.float64))
    results = [None, None]
    dist.all_gather_object(results, dict(norm=norm, said=said, means=means))
    return results


def main(out):
    """The program of each of two processes; rank 0 writes the results."""
    start_processes("pytorch")
    rank = dist.get_rank()
    results = work()
    stop_processes()
    threads = [task.joinpath("comm").read_text() for task in Path("/proc/self/task").iterdir()]
    assert not any("gloo" in name for name in threads), threads
    if rank == 0:
        torch.save(results, out)


@pytest.fixture(scope="module")
def two_ranks(tmp_path_factory):
    out = tmp_path_factory.mktemp("two_ranks") / "results.pt"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", __file__, str(out)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | dict(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1"),
    )
    assert done.returncode == 0, done.stderr
    return torch.load(out)


def test_batchnorm_of_two_ranks_is_that_of_the_whole_batch(two_ranks):
    whole = normalise(batchnorm(nn.BatchNorm1d), slice(None))
    ranks = [result["norm"] for result in two_ranks]
    for share, rank in zip(SHARES, ranks, strict=True):
        torch.testing.assert_close(rank["y"], whole["y"][share], rtol=0, atol=1e-12)
        torch.testing.assert_close(rank["x_grad"], whole["x_grad"][share], rtol=1e-9, atol=1e-9)
        assert rank["num_batches_tracked"] == 1
        for name in ("running_mean", "running_var"):
            torch.testing.assert_close(rank[name], whole[name], rtol=1e-12, atol=0)
    torch.testing.assert_close(ranks[0]["weight_grad"] + ranks[1]["weight_grad"], whole["weight_grad"])


def test_a_static_graph_refuses_accumulated_gradients(two_ranks):
    assert all("static_graph=True needs gradients to be sent in every step" in rank["said"] for rank in two_ranks)


def test_means_over_ranks(two_ranks):
    for rank in two_ranks:
        assert [mean.tolist() for mean in rank["means"]] == [[1.5, 5.0], [[4.0]]]


def test_running_statistics_are_those_of_batchnorms():
    norms = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 3), nn.BatchNorm2d(3, track_running_stats=False))
    found = running_statistics(norms)
    assert [id(values) for values in found] == [id(norms[0].running_mean), id(norms[0].running_var)]


def test_synchronising_keeps_state_dict_and_parameters():
    model = tiny_model()
    before = model.state_dict()
    weight = model.layers[1].weight
    assert synchronise_batchnorm(model) is model
    assert type(model.layers[1]) is CPUSyncBatchNorm
    assert model.layers[1].weight is weight
    assert list(model.state_dict()) == list(before)


def test_batchnorm_in_evaluation_is_the_ordinary_one():
    norm, ours = batchnorm(nn.BatchNorm1d).eval(), batchnorm(CPUSyncBatchNorm).eval()
    assert torch.equal(norm(samples()), ours(samples()))
    with pytest.raises(ValueError, match=r"\(N, C, ...\), got shape \(3,\)"):
        ours.train()(torch.zeros(3))


def test_no_launcher_starts_nothing():
    start_processes("none")
    stop_processes()
    assert not dist.is_initialized()


def test_what_cannot_be_started_says_why(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ProcessError, match="--launcher slurm needs CUDA"):
        start_processes("slurm")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ProcessError, match="use tools/dist_train.sh"):
        start_processes("pytorch")
    monkeypatch.setenv("RANK", "2")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(ProcessError, match="process 2 of this machine has no GPU: 2 found"):
        start_processes("pytorch")


if __name__ == "__main__":
    main(sys.argv[1])
