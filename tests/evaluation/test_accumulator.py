"""Several processes: merged here in one, and two real ones, which run this file as their program (see main)."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample

from mpm_mmpose.evaluation.accumulator import Accumulator, merged
from mpm_mmpose.evaluation.metric import PoseErrorMetric
from mpm_mmpose.evaluation.sampler import ContiguousSampler
from mpm_mmpose.training.distributed import stop_processes

SEQUENCES = ("S9_Sitting.0", "S9_Walking.0", "S11_Walking.1")
STARTS, ACTIONS = np.array([0, 60, 130]), np.array([0, 1, 1])
META = dict(keypoint_set="h36m_17", actions=("Sitting", "Walking"), sequences=SEQUENCES, fps=50.0)
NUMBER = 201  # not divisible by two or four processes


def arrays():
    random = np.random.default_rng(0)
    gt = random.normal(size=(NUMBER, 17, 3)).astype(np.float32)
    window = np.arange(NUMBER)
    sequence = np.searchsorted(STARTS, window, side="right") - 1
    fields = dict(window=window, sequence=sequence, frame=window - STARTS[sequence], action=ACTIONS[sequence])
    return gt + np.float32(0.1) * random.standard_normal(gt.shape, dtype=np.float32), gt, fields


def sample_of(rows, with_fields=True):
    pred, gt, fields = arrays()
    sample = PoseDataSample()
    sample.pred_instances = InstanceData(keypoints=torch.from_numpy(pred[rows]))
    fields = {name: torch.from_numpy(value[rows]) for name, value in fields.items()} if with_fields else {}
    sample.gt_instances = InstanceData(lifting_target=torch.from_numpy(gt[rows]), **fields)
    return sample


def metric_of(indices, batch=20, with_fields=True, **arguments):
    """A metric that has seen these windows; without fields, as mmpose's data, one sample each."""
    metric = PoseErrorMetric(protocol="h36m_p1", keypoint_set="h36m_17", **arguments)
    metric.dataset_meta = META
    for start in range(0, len(indices), batch):
        rows = np.array(indices[start : start + batch])
        samples = [sample_of(rows)] if with_fields else [sample_of(rows[[i]], False) for i in range(len(rows))]
        metric.process(None, [sample.to_dict() for sample in samples])
    return metric


def dealt_out(ranks):
    """Indices of each rank, as mmengine's DefaultSampler gives them: in turn, the first ones again at the end."""
    per_rank = -(-NUMBER // ranks)
    padded = np.resize(np.arange(NUMBER), per_rank * ranks)
    return [padded[rank::ranks] for rank in range(ranks)]


def stretches(ranks):
    return [np.arange(rank * NUMBER // ranks, (rank + 1) * NUMBER // ranks) for rank in range(ranks)]


def together(shares, **more):
    metrics = [metric_of(share, **more) for share in shares]
    metrics[0]._size = NUMBER
    found = metrics[0].compute_metrics([metric.results[0] for metric in metrics if metric.results])
    return {f"pose/{name}": value for name, value in found.items()}


@pytest.fixture(scope="module")
def whole():
    return metric_of(np.arange(NUMBER)).evaluate(NUMBER)


@pytest.mark.parametrize("ranks", [2, 3, 4])
@pytest.mark.parametrize("share", [stretches, dealt_out])
def test_processes_together_give_the_figures_of_one(share, ranks, whole):
    assert together(share(ranks)) == pytest.approx(whole, rel=1e-9)


def test_shares_may_be_uneven_and_empty(whole):
    windows = np.arange(NUMBER)
    assert together([windows[:3], windows[:0], windows[3:170], windows[170:]]) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize("ranks", [2, 4])
def test_samples_without_a_window_that_a_sampler_repeated_count_once(ranks, whole):
    shares = dealt_out(ranks)
    assert sum(map(len, shares)) > NUMBER
    found = together(shares, with_fields=False)
    assert found["pose/mpjpe"] == pytest.approx(whole["pose/mpjpe"], rel=1e-9)
    assert "pose/mpjve" not in found


def test_windows_that_two_processes_share_are_refused():
    windows = np.arange(NUMBER)
    # The last batch of the first one, windows 100 to 119, still waits and would be put right.
    with pytest.raises(ValueError, match="40 windows were evaluated by more than one process.*ContiguousSampler"):
        together([windows[:120], windows[60:]])


def test_a_window_that_comes_again_counts_once(whole):
    windows = np.arange(NUMBER)
    again = np.concatenate([windows[:50], windows[20:70], windows[60:], windows[:5], windows[-1:], windows[-1:]])
    assert metric_of(again).evaluate(NUMBER) == pytest.approx(whole, rel=1e-9)


def test_predictions_that_are_not_finite_are_counted_in_all_processes():
    metrics = [metric_of(share) for share in stretches(2)]
    for metric in metrics:
        bad = sample_of(np.arange(3)).to_dict()
        bad["gt_instances"]["window"] += NUMBER
        bad["pred_instances"]["keypoints"][1, 2] = np.nan
        metric.process(None, [bad])
        bad["gt_instances"]["window"] += 3
    metrics[1].results[0].pending.window += 3
    with pytest.raises(ValueError, match=f"2 of {NUMBER + 6} predicted poses are not finite"):
        metrics[0].compute_metrics([metrics[0].results[0], metrics[1].results[0]])


def test_actions_that_processes_met_in_another_order_keep_their_names():
    """mmpose's actions are known by the names of images, which every process meets in its own order."""
    metrics = []
    for actions in (("Walking", "Sitting"), ("Sitting", "Eating", "Walking")):
        metric = PoseErrorMetric()
        for number, action in enumerate(actions):
            sample = sample_of(np.array([number]), False).to_dict()
            sample["pred_instances"]["keypoints"] = sample["gt_instances"]["lifting_target"] + len(action) / 1000
            metric.process(None, [dict(sample, target_img_path=f"S9_{action}.1_000001.jpg")])
        metrics.append(metric)
    merging = metrics[0]
    merging.compute_metrics([metric.results[0] for metric in metrics])
    found = {name: (row["poses"], row["mpjpe"] / 3**0.5) for name, row in merging.by_action.items()}
    assert {name: number for name, (number, _) in found.items()} == {"Eating": 1, "Sitting": 2, "Walking": 2}
    assert [found[name][1] for name in ("Eating", "Sitting", "Walking")] == pytest.approx([6, 7, 7], rel=1e-4)


def test_merging_uses_one_entry_a_process():
    metric = metric_of(np.arange(50))
    assert len(metric.results) == 1 and isinstance(metric.results[0], Accumulator)
    assert merged(metric.results).poses == 50


def main(folder):
    """What one of two processes does: evaluate with both samplers, through mmengine's own gathering."""
    dist.init_process_group("gloo")
    folder = Path(folder)
    for sampler in (ContiguousSampler(range(NUMBER)), DefaultSampler(range(NUMBER), shuffle=False)):
        metric = metric_of(list(sampler), collect_dir=str(folder / type(sampler).__name__))
        evaluator = Evaluator([metric])
        evaluator.dataset_meta = META
        found = evaluator.evaluate(NUMBER)
        torch.save(found, folder / f"{type(sampler).__name__}.{dist.get_rank()}.pt")
    # Fewer samples than mmengine's cut-off by size would keep entries of.
    metric = metric_of(np.arange(1) if dist.get_rank() == 0 else np.arange(1, 2), dump=folder / "poses.npz")
    found = metric.evaluate(1)
    torch.save(found, folder / f"few.{dist.get_rank()}.pt")
    stop_processes()


@pytest.mark.slow
def test_two_processes_give_the_figures_of_one(tmp_path, whole):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*command, __file__, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=240,
        env=os.environ | dict(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1"),
    )
    assert done.returncode == 0, done.stderr
    for sampler in ("ContiguousSampler", "DefaultSampler"):
        for rank in range(2):
            assert torch.load(tmp_path / f"{sampler}.{rank}.pt") == pytest.approx(whole, rel=1e-9)
    few = metric_of(np.arange(2)).evaluate(2)
    for rank in range(2):
        assert torch.load(tmp_path / f"few.{rank}.pt") == pytest.approx(few, rel=1e-9)
    with np.load(tmp_path / "poses.npz", allow_pickle=False) as file:
        np.testing.assert_array_equal(file["prediction"], arrays()[0][:2] - arrays()[0][:2, :1])


if __name__ == "__main__":
    main(sys.argv[1])
