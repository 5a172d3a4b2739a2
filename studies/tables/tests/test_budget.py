from dataclasses import replace
from pathlib import Path

from ..budget import BUDGETS
from ..data import Stores
from ..experiment import window_sets
from ..plan import Planner
from ..tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"


def configs(table, row, budget, pair, part="lifter/"):
    experiment = TABLES[table].rows[row].tests[part]
    return [step.cfg for step in Planner(budget, Stores(pair), CONFIGS).test(experiment, 0).before()]


def test_budget_paper_leaves_the_recipe(pair):
    pretrain, lift, test = configs("6", "2d_3d", BUDGETS["paper"], pair)
    assert (pretrain.train_cfg.max_epochs, pretrain.optim_wrapper.optimizer.lr) == (15, 1e-4)
    assert (lift.train_cfg.max_epochs, lift.optim_wrapper.optimizer.lr) == (40, 1.6e-3)
    assert pretrain.train_dataloader.batch_size == lift.train_dataloader.batch_size == 1024
    assert lift.param_scheduler[0].gamma == 0.97
    assert {dataset.window for cfg in (pretrain, lift, test) for dataset in window_sets(cfg)} == {243}
    assert BUDGETS["paper"].differences() == []


def test_small_budgets_change_width_frames_and_steps_together(pair):
    budget = replace(BUDGETS["cpu"], batch=4, pretrain_steps=30, finetune_steps=10, epochs=5)
    pretrain, lift, test = configs("6", "2d_3d", budget, pair)
    for cfg in (pretrain, lift, test):
        assert {dataset.window for dataset in window_sets(cfg)} == {27}
        assert cfg.model.backbone.num_frames == cfg.model.head.num_frames == 27
        assert cfg.model.backbone.channels == cfg.model.head.channels == 128
        assert cfg.model.backbone.mlp_drop == cfg.model.head.drop == 0
    assert lift.model.head.strides == (3, 3, 3)
    # 30 steps of 4 windows in 5 epochs are 24 windows an epoch, of the 60 that there are.
    assert pretrain.train_dataloader.dataset.dataset_3d.max_windows == 24
    assert (pretrain.train_cfg.max_epochs, lift.train_dataloader.dataset.max_windows) == (5, 8)
    assert "30 steps of pre-training and 10 of fine-tuning" in budget.differences()[0]


def test_a_small_store_is_gone_through_more_often(pair):
    pretrain, *_ = configs("6", "2d_3d", replace(BUDGETS["cpu"], pretrain_steps=100, batch=30, epochs=5), pair)
    assert pretrain.train_cfg.max_epochs == 50  # 3000 windows, 60 in the store


def test_amounts_of_data_keep_their_shares_and_epochs(pair):
    budget = replace(BUDGETS["cpu"], batch=4, pretrain_steps=10, epochs=1)
    small, base = (configs("E", size, budget, pair, "")[0] for size in ("small", "base"))
    for cfg, share in ((small, 0.375), (base, 0.75)):  # of both data sets, which are one store here
        dataset = cfg.train_dataloader.dataset.dataset_2d
        assert (dataset.fractions, [member.max_windows for member in dataset.datasets]) == ([share], [40])
        assert cfg.train_cfg.max_epochs == 1


def test_refinement_keeps_its_small_rate(pair):
    *_, refine, _ = configs("1", "cpn_243", BUDGETS["ci"], pair, "")
    assert refine.optim_wrapper.optimizer.lr == 1e-4
