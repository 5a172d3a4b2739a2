import os
from dataclasses import replace
from pathlib import Path

import pytest

from ..budget import BUDGETS
from ..data import Stores
from ..plan import MissingDataError, Planner
from ..tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"


@pytest.fixture
def planner(ci, pair):
    return Planner(ci, Stores(pair), CONFIGS)


def experiment(table, row, part=""):
    return TABLES[table].rows[row].tests[part]


def described(step):
    return [(before.kind, before.name) for before in step.before()]


def test_what_comes_before_a_row_is_run_before_it(planner):
    assert described(planner.test(experiment("6", "scratch"), 0)) == [
        ("fine-tune", "table_6_scratch_lifter"),
        ("fine-tune", "table_6_scratch"),
        ("test", "table_6_scratch"),
    ]
    assert described(planner.test(experiment("3", "two_legs"), 0)) == [
        ("pre-train", "pretrain_h36m_amass_27"),
        ("fine-tune", "occluded_2d_h36m_27"),
        ("test", "table_3_two_legs"),
    ]
    assert described(planner.test(experiment("4", "left_arm_pretrained"), 0)) == [
        ("pre-train", "pretrain_h36m_amass_27"),
        ("test", "table_4_left_arm_pretrained"),
    ]
    assert described(planner.test(experiment("1", "gt_81"), 0)) == [
        ("pre-train", "pretrain_h36m_amass_81"),
        ("fine-tune", "table_1_gt_81_lifter"),
        ("fine-tune", "table_1_gt_81"),
        ("test", "table_1_gt_81"),
    ]
    assert described(planner.test(experiment("B", "spatial", "3dhp/"), 0)) == [
        ("pre-train", "pretrain_all_spatial_27"),
        ("fine-tune", "table_b_3dhp_spatial"),
        ("test", "table_b_3dhp_spatial"),
    ]


def test_rows_share_what_is_the_same_and_only_that(pair):
    planner = Planner(BUDGETS["paper"], Stores(pair), CONFIGS)

    def keys(table, row, part=""):
        return [step.key for step in planner.test(experiment(table, row, part), 0).before()]

    same = [keys("6", "2d_3d"), keys("1", "cpn_243"), keys("A", "layers_4_frames_243"), keys("D", "mpm")]
    assert same[0] == same[1] == same[2] == same[3]  # true 2D is the same store here
    assert keys("6", "2d_3d", "lifter/")[:2] == same[0][:2] == keys("S1", "centre")[:2]
    assert keys("B", "spatio_temporal") == keys("C", "keypoints_5_frames_60")
    assert keys("2", "3dhp_81") == keys("E", "large")
    assert keys("3", "two_legs")[:2] == keys("3", "two_arms")[:2]
    assert keys("3", "two_legs")[2] != keys("3", "two_arms")[2]
    assert len({key for row in TABLES["C"].rows for key in keys("C", row)}) == 25 * 4
    depths = [keys("A", f"layers_{n}_frames_243") for n in (2, 3, 4, 5)]
    assert len({key for row in depths for key in row}) == 16


def test_the_key_changes_with_all_that_decides_the_result(ci, pair, tmp_path):
    def keys(budget=ci, stores=pair, seed=0):
        return {
            step.kind: step.key
            for step in Planner(budget, Stores(stores), CONFIGS)
            .test(experiment("6", "2d_3d", "lifter/"), seed)
            .before()
        }

    base = keys()
    assert keys() == base
    assert not set(keys(seed=1).values()) & set(base.values())
    assert not set(keys(replace(ci, pretrain_steps=3)).values()) & set(base.values())
    longer = keys(replace(ci, finetune_steps=3))
    assert longer["pre-train"] == base["pre-train"] and longer["fine-tune"] != base["fine-tune"]
    test_store = Path(pair[1], "store.json")
    before = test_store.stat()
    try:
        os.utime(test_store, ns=(before.st_atime_ns, before.st_mtime_ns + 10**9))
        written_again = keys()
    finally:
        os.utime(test_store, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert {kind for kind in base if base[kind] != written_again[kind]} == {"test"}


def test_seeds_reach_all_random_streams(planner):
    for step in planner.test(experiment("6", "2d_3d", "lifter/"), 5).before():
        assert step.cfg.randomness.seed == step.cfg.model.data_preprocessor.seed == step.seed == 5


def test_nothing_is_validated_on(planner):
    lift = planner.train(experiment("6", "2d_3d", "lifter/"), 0).cfg
    assert lift.val_dataloader is lift.val_cfg is lift.default_hooks.checkpoint.save_best is None


def test_data_before_a_row_that_are_missing_are_told(ci, pair, tmp_path, monkeypatch):
    """The test store is there, but not what the pre-training reads."""
    monkeypatch.chdir(tmp_path)
    stores = Stores([f"h36m_train={pair[0]}", f"h36m_test={pair[1]}"])
    with pytest.raises(MissingDataError, match=r"pretrain_h36m_amass: .*amass_train: there is no pose store"):
        Planner(ci, stores, CONFIGS).test(experiment("6", "2d_3d", "lifter/"), 0)
    assert Planner(ci, stores, CONFIGS).test(experiment("6", "scratch"), 0).key
