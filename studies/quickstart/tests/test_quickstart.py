from pathlib import Path

import pytest
from mmengine.config import Config

from mpm_mmpose.data.pose_store import PoseStore

from .. import quickstart as module

CONFIGS = Path(__file__).parents[3] / "configs/mpm"


@pytest.fixture
def few_clips(monkeypatch):
    monkeypatch.setattr(module, "SYNTHETIC_CLIPS", 7)
    monkeypatch.setattr(module, "SYNTHETIC_SECONDS", 1.0)


def test_stores_hold_whole_clips_and_share_none(tmp_path, few_clips):
    stores = {name: PoseStore(path) for name, path in module.make_stores(tmp_path, None, seed=3).items()}
    assert {name: len(store) for name, store in stores.items()} == {"train": 24, "labelled": 4, "test": 4}
    assert not set(stores["train"].subjects) & set(stores["test"].subjects)
    assert set(stores["labelled"].subjects) < set(stores["train"].subjects)


@pytest.mark.parametrize(("share", "sequences"), [(0.01, 4), (0.5, 12), (1.0, 24)])
def test_share_of_labelled_clips(tmp_path, few_clips, share, sequences):
    assert len(PoseStore(module.make_stores(tmp_path, None, seed=0, labelled=share)["labelled"])) == sequences


def test_same_seed_holds_out_the_same_clips(tmp_path, few_clips):
    def test_clips(folder: str, seed: int) -> tuple[str, ...]:
        return PoseStore(module.make_stores(tmp_path / folder, None, seed)["test"]).sources

    assert test_clips("a", 1) == test_clips("b", 1) != test_clips("c", 2)


def test_one_clip_cannot_be_split(tmp_path):
    clip = tmp_path / "walk.bvh"
    clip.write_text("HIERARCHY")
    with pytest.raises(ValueError, match=r"walk.bvh: 1 clip found; give at least two"):
        module.make_stores(tmp_path / "stores", [clip], seed=0)


@pytest.mark.parametrize(("budget", "windows", "epochs"), [(0.5, 6400, 5), (2.0, 12800, 10), (1e-6, 64, 5)])
def test_budget_changes_windows_below_one_and_epochs_above(tmp_path, monkeypatch, budget, windows, epochs):
    monkeypatch.setattr(module, "_windows", lambda dataset: (dataset.get("dataset_3d") or dataset).max_windows)
    stores = {name: tmp_path / name for name in ("train", "labelled", "test")}
    pretrain = module._config(CONFIGS, tmp_path, "pretrain", stores, budget, seed=5)
    lift = module._config(CONFIGS, tmp_path, "lift_scratch", stores, budget, seed=5)
    for dataset, store in (
        (pretrain.train_dataloader.dataset.dataset_3d, "train"),
        (lift.train_dataloader.dataset, "labelled"),
    ):
        assert (dataset.max_windows, dataset.store) == (windows, str(tmp_path / store))
    assert lift.train_cfg.max_epochs == pretrain.train_cfg.max_epochs == epochs
    assert lift.model.data_preprocessor.seed == lift.randomness.seed == 5
    assert lift.test_dataloader.dataset.store == str(tmp_path / "test")


def test_few_labels_are_gone_through_more_often(tmp_path, few_clips):
    stores = module.make_stores(tmp_path, None, seed=0)
    lift = module._config(CONFIGS, tmp_path, "lift_scratch", stores, 0.01, seed=0)
    windows = PoseStore(stores["labelled"]).num_frames  # one window per frame
    assert windows == 120 and lift.train_cfg.max_epochs == round(5 * 128 / windows) == 5
    lift = module._config(CONFIGS, tmp_path, "lift_scratch", stores, 1.0, seed=0)
    assert lift.train_cfg.max_epochs == round(5 * 12800 / windows)


@pytest.mark.slow
def test_the_whole_road_leaves_what_it_promises(tmp_path, few_clips, capsys):
    (tmp_path / "results.md").write_text("of an earlier run")
    table = module.quickstart(tmp_path, CONFIGS, budget=1e-6)
    assert list(table) == ["mean_pose", "lift_scratch", "lift_pretrained"]
    assert all(0 < errors["p_mpjpe"] <= errors["mpjpe"] for errors in table.values())
    text = (tmp_path / "results.md").read_text()
    assert f"| {table['mean_pose']['mpjpe']:.1f} | {table['mean_pose']['p_mpjpe']:.1f} |" in text
    assert text in capsys.readouterr().out
    for name in ("losses.png", "comparison.png", "comparison.gif", "lift_pretrained/epoch_5.pth"):
        assert (tmp_path / name).stat().st_size > 1000, name
    log = "".join(path.read_text() for path in (tmp_path / "lift_pretrained").rglob("*.log"))
    assert "weights taken from" in log
    # The command that it tells to type next names files that are there.
    config, checkpoint = text.split("tools/test.py ")[1].split(" \\")[0].split()
    assert Path(checkpoint).is_file() and Config.fromfile(config).model.type == "PoseLifter"


def test_an_interrupted_run_does_not_look_finished(tmp_path, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    for name in module.RESULTS:
        (tmp_path / name).write_text("of an earlier run")
    monkeypatch.setattr(module, "make_stores", interrupt)
    with pytest.raises(KeyboardInterrupt):
        module.quickstart(tmp_path, CONFIGS)
    assert not list(tmp_path.iterdir())
