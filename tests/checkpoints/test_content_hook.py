"""Trainings that go on from checkpoints which somebody else had in hands; each trains for a second or two."""

import shutil

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from trained_lifter import train

from mpm_mmpose.checkpoints.content_hook import check_before
from mpm_mmpose.checkpoints.loading import CheckpointError, load_checkpoint


@pytest.fixture
def work(trained_lifter, tmp_path):
    """A config, and a copy of the work directory of its training of one epoch."""
    config, checkpoint = trained_lifter
    shutil.copytree(checkpoint.parent, tmp_path / "work")
    return config, tmp_path / "work"


def edit(path, change):
    checkpoint = torch.load(path, weights_only=False)
    change(checkpoint)
    torch.save(checkpoint, path)


def files(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.pth")}


def test_a_checkpoint_names_no_folders(trained_lifter):
    info = load_checkpoint(trained_lifter[1])["message_hub"]["runtime_info"]
    assert (info["last_ckpt"], info["best_ckpt"]) == ("epoch_1.pth", "best_pose_mpjpe_epoch_1.pth")


def test_the_text_of_a_config_in_a_checkpoint_is_not_executed(work, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    config, folder = work
    program = f"open({str(tmp_path / 'was_run')!r}, 'w')"
    edit(folder / "epoch_1.pth", lambda checkpoint: checkpoint["meta"].update(config=program, cfg=program))
    assert train(config, folder, **{"resume": True, "train_cfg.max_epochs": 2}).is_file()
    assert not (tmp_path / "was_run").exists()


def test_a_copied_work_directory_goes_on_by_itself(trained_lifter, work):
    """And leaves the original alone, whose best model is the one that a better one takes the place of."""
    config, folder = work
    original = trained_lifter[1].parent
    before = files(original)
    (folder / "last_checkpoint").write_text(str(original / "epoch_1.pth"))  # as MMEngine writes it
    worse = dict(best_score=1e9, best_ckpt=str(original / "best_pose_mpjpe_epoch_1.pth"))
    edit(folder / "epoch_1.pth", lambda checkpoint: checkpoint["message_hub"]["runtime_info"].update(worse))
    train(config, folder, **{"resume": True, "train_cfg.max_epochs": 2})
    assert files(original) == before
    assert sorted(files(folder)) == ["best_pose_mpjpe_epoch_2.pth", "epoch_1.pth", "epoch_2.pth"]


def test_a_renamed_work_directory_goes_on(work, tmp_path):
    config, folder = work
    folder.rename(tmp_path / "renamed")
    (tmp_path / "renamed/last_checkpoint").write_text(str(folder / "epoch_1.pth"))
    train(config, tmp_path / "renamed", **{"resume": True, "train_cfg.max_epochs": 2})
    assert not folder.exists()
    assert load_checkpoint(tmp_path / "renamed/epoch_2.pth")["meta"]["epoch"] == 2


def test_nothing_outside_of_the_work_directory_is_removed(work, tmp_path):
    config, folder = work
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").touch()
    named = dict(best_ckpt=str(tmp_path / "precious"), best_score=1e9, keep_ckpt_ids=["../../precious/file", 1])
    edit(folder / "epoch_1.pth", lambda checkpoint: checkpoint["message_hub"]["runtime_info"].update(named))
    train(config, folder, **{"resume": True, "train_cfg.max_epochs": 2})
    assert (tmp_path / "precious/file").exists()


@pytest.mark.parametrize("resume", [True, False])
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.backbone.channels": 32, "model.head.channels": 32}, "these weights have another shape of"),
        ({"model.backbone.depth": 2}, "these weights lack"),
        ({"model.head.align": "centre"}, "was trained with another model than tiny.py: head.align is 'first' there"),
        ({"model.backbone.num_heads": 4}, "backbone.num_heads is 2 there and 4 here"),
    ],
)
def test_another_models_weights_are_refused_in_a_line_before_anything_starts(
    trained_lifter, tmp_path, resume, changes, message
):
    config, checkpoint = trained_lifter
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(changes | dict(resume=resume, load_from=str(checkpoint)))
    with pytest.raises(CheckpointError, match=rf"epoch_1\.pth: .*{message}") as error:
        check_before(cfg)
    assert "\n" not in str(error.value)
    if changes == {"model.backbone.depth": 2}:  # the hook looks again
        cfg.work_dir, cfg.experiment_name = str(tmp_path / "work"), f"{tmp_path} {resume}"
        with pytest.raises(CheckpointError, match=rf"epoch_1\.pth: .*{message}"):
            Runner.from_cfg(cfg).train()
        assert not list((tmp_path / "work").glob("*.pth"))


def test_moments_of_another_width_are_refused(work):
    config, folder = work

    def change(checkpoint):
        state = checkpoint["optimizer"]["state"]
        state[0]["exp_avg"] = state[0]["exp_avg"][..., :1].clone()

    edit(folder / "epoch_1.pth", change)
    with pytest.raises(
        CheckpointError, match="epoch_1.pth: field 'optimizer' is not of this training: exp_avg of parameter 0"
    ):
        train(config, folder, **{"resume": True, "train_cfg.max_epochs": 2})


def test_weights_alone_are_no_training_to_go_on_from(work):
    config, folder = work
    edit(folder / "epoch_1.pth", lambda checkpoint: checkpoint.pop("message_hub"))
    with pytest.raises(CheckpointError, match="epoch_1.pth: holds weights and no state of a training"):
        train(config, folder, **{"resume": True, "train_cfg.max_epochs": 2})
