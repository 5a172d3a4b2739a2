import torch
from pytest import fixture, mark, raises

from mpm_mmpose.training.errors import TrainingStopped
from mpm_mmpose.training.work_dir import kept_checkpoint, newest_that_loads


@fixture
def folder(tmp_path):
    for epoch in (1, 2, 10):
        torch.save(dict(meta=dict(epoch=epoch), state_dict={}), tmp_path / f"epoch_{epoch}.pth")
    torch.save({}, tmp_path / "best_pose_mpjpe_epoch_11.pth")
    return tmp_path


@mark.parametrize("text", ["epoch_10.pth", "/copied/from/here/epoch_10.pth\n", "", None])
def test_the_last_checkpoint_is_taken_wherever_it_was_written(folder, text):
    if text is not None:
        (folder / "last_checkpoint").write_text(text)
    assert newest_that_loads(folder) == (folder / "epoch_10.pth", [])


def test_a_newer_one_than_the_last_is_another_trainings(folder):
    (folder / "last_checkpoint").write_text("epoch_2.pth")
    assert newest_that_loads(folder) == (folder / "epoch_2.pth", [])


def test_without_the_last_one_the_newest_before_it_that_loads_is_taken_and_said(folder):
    (folder / "last_checkpoint").write_text("epoch_10.pth")
    whole = (folder / "epoch_10.pth").read_bytes()
    (folder / "epoch_10.pth").write_bytes(whole[: len(whole) // 2])
    torch.save(torch.ones(3), folder / "epoch_2.pth")
    said = [f"{name}.pth is damaged or no checkpoint of a training" for name in ("epoch_10", "epoch_2")]
    assert newest_that_loads(folder) == (folder / "epoch_1.pth", said)
    (folder / "epoch_10.pth").unlink()
    assert newest_that_loads(folder)[1] == ["epoch_10.pth is not there", said[1]]


def test_where_none_loads_that_is_said_and_an_empty_folder_begins_anew(folder):
    assert newest_that_loads(folder / "nothing") == (None, [])
    for epoch in (1, 2, 10):
        (folder / f"epoch_{epoch}.pth").write_bytes(b"")
    with raises(
        TrainingStopped, match=r"no checkpoint to go on from \(epoch_10.pth is damaged .*; epoch_2.pth .*--resume"
    ):
        newest_that_loads(folder)
    (folder / "empty").mkdir()
    (folder / "empty/last_checkpoint").write_text("epoch_3.pth")
    with raises(TrainingStopped, match="epoch_3.pth is not there"):
        newest_that_loads(folder / "empty")


def test_what_is_kept_is_said(folder):
    assert kept_checkpoint(folder) == f"there is no checkpoint in {folder} yet"
    (folder / "last_checkpoint").write_text("epoch_2.pth")
    assert kept_checkpoint(folder) == f"epoch_2.pth in {folder} is kept"
