import torch
from mmengine.hooks import Hook
from pytest import fixture, mark, raises
from tiny_training import FallingError, make_runner

from mpm_mmpose.training.checkpoint_hook import SUPERSEDED
from mpm_mmpose.training.errors import TrainingStopped


@fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setattr("mmengine.runner.runner.get_device", lambda: "cpu")


class At(Hook):
    """Does something to the Runner in a step of an epoch, both from 1; the last step by default."""

    def __init__(self, epoch, do, step=3):
        self.when, self.do = (epoch, step), do

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if (runner.epoch + 1, batch_idx + 1) == self.when:
            self.do(runner)


def files(folder):
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.suffix != ".py")


def info(path):
    return torch.load(path)["message_hub"]["runtime_info"]


def test_what_is_kept_and_what_it_says(tmp_path):
    make_runner(tmp_path, checkpoint=dict(max_keep_ckpts=1)).train()
    assert files(tmp_path) == [".lock", "best_pose_mpjpe_epoch_4.pth", "epoch_4.pth", "last_checkpoint"]
    assert (tmp_path / "last_checkpoint").read_text() == "epoch_4.pth"
    # Written after the validation that is its own, also where the model was not the best.
    assert info(tmp_path / "epoch_4.pth")["validated_epoch"] == 4


def test_the_new_checkpoint_is_there_before_the_old_one_goes(tmp_path, monkeypatch):
    removed = []

    def remove(backend, path):
        removed.append((str(path).rsplit("/", 1)[1], files(tmp_path)))
        path = tmp_path / removed[-1][0]
        path.unlink()

    monkeypatch.setattr("mmengine.fileio.LocalBackend.remove", remove)
    make_runner(tmp_path, checkpoint=dict(max_keep_ckpts=1)).train()
    for epoch in (2, 3, 4):
        for kind in ("epoch", "best_pose_mpjpe_epoch"):
            there = next(there for name, there in removed if name == f"{kind}_{epoch - 1}.pth")
            assert {f"{kind}_{epoch}.pth", f"{kind}_{epoch - 1}.pth"} <= set(there)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    def spoil(runner):
        runner.model.layers[0].weight.data[0, 0] = torch.nan

    with raises(
        TrainingStopped, match=r"1 of \d+ weights are not finite after epoch 3, as layers.0.weight.*epoch_2.pth"
    ):
        make_runner(tmp_path, hooks=[At(3, spoil)]).train()
    assert files(tmp_path) == [".lock", "best_pose_mpjpe_epoch_2.pth", "epoch_1.pth", "epoch_2.pth", "last_checkpoint"]
    # In an earlier step the loss says so, before anything is saved.
    with raises(TrainingStopped, match=r"loss is nan in step 2 of epoch 3.*epoch_2.pth"):
        make_runner(tmp_path / "earlier", hooks=[At(3, spoil, step=1)]).train()
    assert torch.load(tmp_path / "earlier/epoch_2.pth")["meta"]["epoch"] == 2


def test_a_metric_that_is_not_there_ends_the_run_with_its_neighbours(tmp_path):
    with raises(TrainingStopped, match="save_best of CheckpointHook is 'pose/mpjp'; validation gives 'pose/mpjpe'"):
        make_runner(tmp_path, checkpoint=dict(save_best="pose/mpjp")).train()


def stop(runner):
    raise KeyboardInterrupt


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    with raises(KeyboardInterrupt):
        make_runner(tmp_path, hooks=[At(3, stop)]).train()
    old = torch.load(tmp_path / "epoch_2.pth")
    old["message_hub"]["runtime_info"][SUPERSEDED] = ["best_pose_mpjpe_epoch_1.pth", "../best_outside.pth", "notes.pth"]
    torch.save(old, tmp_path / "epoch_2.pth")
    for name in ("best_pose_mpjpe_epoch_1.pth", "epoch_3.pth.123.partial", "notes.pth", "mine.partial"):
        (tmp_path / name).write_bytes(b"")
    outside = tmp_path.with_name("best_outside.pth")
    outside.write_bytes(b"")
    make_runner(tmp_path, resume=True).train()
    left = [".lock", "best_pose_mpjpe_epoch_4.pth", "epoch_3.pth", "epoch_4.pth"]
    assert files(tmp_path) == sorted([*left, "last_checkpoint", "mine.partial", "notes.pth"])
    assert outside.exists()


@mark.parametrize("moved", [False, True])
def test_a_best_checkpoint_that_is_not_there_is_forgotten_and_chosen_anew(tmp_path, monkeypatch, moved):
    work_dir = tmp_path / "run"
    with raises(KeyboardInterrupt):
        make_runner(work_dir, hooks=[At(3, stop)]).train()
    if moved:
        work_dir.rename(tmp_path / "moved")
        work_dir = tmp_path / "moved"
    else:
        (work_dir / "best_pose_mpjpe_epoch_2.pth").unlink()
    # From here on each model is worse than the one before.
    monkeypatch.setattr(FallingError, "errors", iter(range(2000, 3000)))
    make_runner(work_dir, resume=True).train()
    assert (work_dir / "best_pose_mpjpe_epoch_2.pth").is_file()
    assert info(work_dir / "epoch_4.pth")["best_score"] == (
        2000 if not moved else info(work_dir / "best_pose_mpjpe_epoch_2.pth")["best_score"]
    )
