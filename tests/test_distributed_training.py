"""The project's pre-training in 1, 2 and 4 processes, which this file starts when it is run as a program (see main)."""

import multiprocessing
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import HOOKS, MODELS
from noise_clips import noise_clip

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.data import write_store
from mpm_mmpose.masking import Masks
from mpm_mmpose.models import PretrainPreprocessor
from mpm_mmpose.training.distributed import running_statistics, start_processes, stop_processes

pytestmark = pytest.mark.timeout(600)  # 21 processes, up to two on each core

CONFIG = Path(__file__).parents[1] / "configs/mpm/pretrain_mocap_27.py"
BATCH, WINDOWS, FRAMES = 16, 64, 9  # 4 steps an epoch, 2 epochs
# Biases in front of a BatchNorm have the gradient 0, of which rounding leaves some 1e-9. With its own eps, AdamW would
# take full steps in the direction of that noise.
ADAMW = dict(lr=0.01, eps=1e-4)
EQUAL = dict(flip=False, type="MasksOfWindows")
PLAIN = dict(gradient_as_bucket_view=False)
# name: processes, keys of the wrapper, other keys. Dropout, flips and masks differ from rank to rank, so that several
# processes cannot have the losses of one: there is none of the first two where losses are compared, and masks that
# belong to windows.
CASES = {
    "one": (1, {}, {}),
    "two": (2, {}, {}),
    "four": (4, {}, {}),
    "plain": (2, PLAIN, {}),
    "static": (2, dict(static_graph=True), {}),
    "accumulated": (2, {}, {"optim_wrapper.accumulative_counts": 2}),
    "accumulated_plain": (2, PLAIN, {"optim_wrapper.accumulative_counts": 2}),
    "own_statistics": (2, dict(sync_batchnorm=False), {}),
    "own_masks": (
        4,
        {},
        {"model.data_preprocessor": dict(type="PretrainPreprocessor", flip=True), "model.backbone.drop": 0.1}
        | {f"train_dataloader.dataset.dataset_{kind}.max_windows": 62 for kind in ("2d", "3d")},
    ),
}


@MODELS.register_module()
class MasksOfWindows(PretrainPreprocessor):
    """The same strategy, drawn for each window from a seed that is in its numbers: any process masks the same of it."""

    def _masks(self, poses, windows, stream, *others):
        seeds = poses.flatten(1).double().sum(1).mul(1e6).long().tolist()
        size = poses.shape[1:3]
        drawn = [self._draw(1, *size, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
        frames, keypoints = (torch.cat([getattr(masks, name) for masks in drawn]) for name in Masks._fields[:2])
        return Masks(frames, keypoints, drawn[0].num_visible)


@HOOKS.register_module()
class Recorder(Hook):
    """What a rank was given, what it hid and what it logged, step by step."""

    priority = "VERY_LOW"  # after the model was told the statistics of its training data

    def __init__(self):
        self.batches, self.masks, self.losses = [], [], []

    def before_train(self, runner):
        self.runner, self.first = runner, {k: v.clone() for k, v in bare(runner).state_dict().items()}
        bare(runner).data_preprocessor.register_forward_hook(
            lambda module, given, out: self.masks.append(out["inputs"]["masks_2d"].keypoint_mask)
        )

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.batches.append({name: values.clone() for name, values in data_batch.items()})

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append(outputs["loss"])

    def after_train(self, runner):
        last = bare(runner).state_dict()
        torch.save(dict(vars(self), runner=None, first=self.first, last=last), f"{runner.work_dir}/{runner.rank}.pt")


def bare(runner):
    return getattr(runner.model, "module", runner.model)


def config(folder, case):
    """The project's config, made tiny."""
    processes, wrapper, options = CASES[case]
    cfg = Config.fromfile(CONFIG)
    size = dict(num_frames=FRAMES, channels=16, hidden_channels=32, drop=0.0, attn_drop=0.0)
    windows = dict(store=str(folder / "store"), window=FRAMES)
    cfg.merge_from_dict(
        dict(
            work_dir=str(folder / case),
            launcher="pytorch" if processes > 1 else "none",
            model=dict(backbone=dict(depth=1, mlp_drop=0.0, **size), head=size, data_preprocessor=EQUAL),
            train_dataloader=dict(
                batch_size=BATCH // processes,
                num_workers=0,
                persistent_workers=False,
                dataset=dict(dataset_2d=windows, dataset_3d=windows),
            ),
            train_cfg=dict(max_epochs=2),
            optim_wrapper=dict(optimizer=ADAMW),
            model_wrapper_cfg=wrapper,
            custom_hooks=[*cfg.custom_hooks, dict(type="Recorder")],
            log_level="ERROR",
        )
    )
    cfg.merge_from_dict(options)
    return cfg


def work(folder, case, rank, port):
    """What one process does: join the others and train."""
    cfg = config(folder, case)
    processes = CASES[case][0]
    os.environ |= dict(RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(processes))
    os.environ |= dict(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    start_processes(cfg.launcher)
    Runner.from_cfg(cfg).train()
    stop_processes()


def main(folder):
    """The program: every case, in processes that are forked so that things are imported once."""
    import mmpose.visualization  # noqa: F401  (what Runner imports late)

    write(folder / "store")
    assert config(folder, "one").pretty_text  # loads the formatter
    context = multiprocessing.get_context("fork")
    for case, (processes, _, _) in CASES.items():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        ranks = [context.Process(target=work, args=(folder, case, rank, port)) for rank in range(processes)]
        for rank in ranks:
            rank.start()
        for rank in ranks:
            rank.join()
        codes = [rank.exitcode for rank in ranks]
        if any(codes):
            sys.exit(f"{case}: exit codes {codes}")


def write(store):
    """Two clips of 64 windows together, no two frames alike."""
    rng = np.random.default_rng(0)
    write_store(store, [noise_clip(f"clip of {frames}", frames, rng) for frames in (40, WINDOWS - 40)])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The records of all ranks of a case."""
    folder = tmp_path_factory.mktemp("trained")
    path = os.pathsep.join([str(Path(__file__).parent / "common"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | dict(CUDA_VISIBLE_DEVICES="", OMP_NUM_THREADS="1", PYTHONPATH=path)
    command = [sys.executable, __file__, str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=540)
    assert done.returncode == 0, done.stderr
    return lambda case: [torch.load(folder / case / f"{rank}.pt") for rank in range(CASES[case][0])]


def losses(records):
    """(steps,), the same on every rank."""
    curves = [torch.stack(record["losses"]) for record in records]
    assert all(torch.equal(curve, curves[0]) for curve in curves)
    return curves[0]


def same_weights(a, b):
    for name, value in a.items():
        torch.testing.assert_close(value, b[name], rtol=1e-3, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")


def windows_of(records, step, field):
    """One row per window of a step, of all ranks: where a keypoint of its target frame is, as in no other window."""
    return torch.cat([record["batches"][step][field][:, FRAMES // 2, 5] for record in records]).tolist()


@pytest.mark.slow
@pytest.mark.parametrize("case", ["two", "four"])
def test_ranks_have_the_losses_and_weights_of_one_process(trained, case):
    one, several = trained("one"), trained(case)
    curve = losses(one)
    assert curve.shape == (8,)
    assert curve[-1] < curve[0]
    # Sums in another order: rounding errors.
    torch.testing.assert_close(losses(several), curve, rtol=1e-5, atol=0)
    for record in several:
        same_weights(record["last"], one[0]["last"])
        assert all(torch.equal(value, several[0]["last"][name]) for name, value in record["last"].items())
    for step in range(8):
        for field in ("keypoints", "keypoints_3d"):
            assert sorted(windows_of(several, step, field)) == sorted(windows_of(one, step, field))


@pytest.mark.slow
@pytest.mark.parametrize("case", ["two", "four"])
def test_no_window_is_seen_twice_in_an_epoch(trained, case):
    records = trained(case)
    for epoch in (range(4), range(4, 8)):
        for field in ("keypoints", "keypoints_3d"):
            seen = [tuple(row) for step in epoch for row in windows_of(records, step, field)]
            assert len(seen) == len(set(seen)) == WINDOWS


@pytest.mark.slow
def test_where_windows_do_not_go_round_the_fewest_are_seen_again(trained):
    # 62 windows over 4 ranks: 16 each, since all ranks have to take as many steps.
    records = trained("own_masks")
    for field in ("keypoints", "keypoints_3d"):
        seen = [tuple(row) for step in range(4) for row in windows_of(records, step, field)]
        assert (len(seen), len(set(seen))) == (64, 62)


@pytest.mark.slow
def test_every_rank_hides_something_else(trained):
    records = trained("own_masks")
    masks = [mask for record in records for mask in record["masks"]]
    assert all((mask.sum(-1) == 5).all() for mask in masks)
    assert len({tuple(mask.flatten().tolist()) for mask in masks}) == len(masks) == 4 * 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changed", "plain"), [("two", "plain"), ("static", "plain"), ("accumulated", "accumulated_plain")]
)
def test_gradient_views_and_a_static_graph_train_the_same(trained, changed, plain):
    ours, expected = trained(changed)[0], trained(plain)[0]
    assert torch.equal(torch.stack(ours["losses"]), torch.stack(expected["losses"]))
    assert all(torch.equal(value, expected["last"][name]) for name, value in ours["last"].items())
    # Accumulated are the same first two losses of one batch each, because nothing was learnt from the first alone.
    assert (ours["losses"][1] == trained("two")[0]["losses"][1]) == (not changed.startswith("accumulated"))


@pytest.mark.slow
def test_own_statistics_are_those_of_each_ranks_windows(trained):
    """As one process that takes the halves of each batch one after the other, both from the same running statistics."""
    records = trained("own_statistics")
    init_default_scope("mmpose")
    model = MODELS.build(config(Path("unused"), "one").model).train()
    model.load_state_dict(records[0]["first"])
    optimizer = torch.optim.AdamW(model.parameters(), **ADAMW)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.97)
    statistics = running_statistics(model)
    curve = []
    for step, halves in enumerate(zip(*(record["batches"] for record in records), strict=True)):
        before = [values.clone() for values in statistics]
        curve.append(0)
        after = []
        optimizer.zero_grad()
        for batch in halves:
            put(before, statistics)
            found = model(**model.data_preprocessor(batch, training=True), mode="loss")
            loss = (found["loss_2d"] + found["loss_3d"]) / 2
            loss.backward()
            curve[-1] += loss.detach()
            after.append([values.clone() for values in statistics])
        put([(one + other) / 2 for one, other in zip(*after, strict=True)], statistics)
        optimizer.step()
        if step == 3:
            schedule.step()
    torch.testing.assert_close(losses(records), torch.stack(curve), rtol=1e-5, atol=0)
    expected = {name: value for name, value in model.state_dict().items() if not name.endswith("num_batches_tracked")}
    for record in records:
        same_weights(expected, record["last"])
    # And that is something else than the statistics of all ranks.
    assert not torch.allclose(losses(records), losses(trained("two")), rtol=1e-4)


def put(values, places):
    for value, place in zip(values, places, strict=True):
        place.copy_(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
