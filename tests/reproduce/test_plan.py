import os
from dataclasses import replace
from pathlib import Path

import pytest

from mpm_mmpose.reproduce.data import Stores
from mpm_mmpose.reproduce.plan import MissingDataError, Planner
from mpm_mmpose.reproduce.tables import TABLES

CONFIGS = Path(__file__).parents[2] / "configs/mpm"


@pytest.fixture
def planner(ci, pair):
    return Planner(ci, Stores(pair), CONFIGS)


def described(step):
    return [(before.kind, before.leaf) for before in step.before()]


def test_what_comes_before_a_row_is_read_from_the_configs(planner):
    assert described(planner.test("table_6_scratch", 0)) == [
        ("fine-tune", "table_6_scratch"),
        ("test", "table_6_scratch"),
    ]
    assert described(planner.test("table_3_two_legs", 0)) == [
        ("pre-train", "pretrain_h36m_amass_27"),
        ("fine-tune", "occluded_2d_h36m_27"),
        ("test", "table_3_two_legs"),
    ]
    assert described(planner.test("table_4_left_arm_pretrained", 0)) == [
        ("pre-train", "pretrain_h36m_amass_27"),
        ("test", "table_4_left_arm_pretrained"),
    ]
    assert described(planner.test("table_1_gt_243_refine", 0)) == [
        ("pre-train", "pretrain_h36m_amass"),
        ("fine-tune", "lift_h36m_gt_243"),
        ("fine-tune", "table_1_gt_243_refine"),
        ("test", "table_1_gt_243_refine"),
    ]


def test_rows_share_what_is_the_same_and_only_that(planner):
    def keys(leaf):
        return [step.key for step in planner.test(leaf, 0).before()]

    same = [keys(leaf) for leaf in ("table_6_2d_3d", "table_b_spatio_temporal", "table_c_keypoints_5_frames_60")]
    assert same[0] == same[1] == same[2] == keys("table_e_large") == keys("table_1_gt_243")
    assert keys("table_3_two_legs")[:2] == keys("table_3_two_arms")[:2]
    assert keys("table_3_two_legs")[2] != keys("table_3_two_arms")[2]
    leaves = [TABLES["C"].leaf(row) for row in TABLES["C"].rows]
    assert len({key for leaf in leaves for key in keys(leaf)}) == 27


def test_the_key_changes_with_all_that_decides_the_result(ci, pair, tmp_path):
    def keys(budget=ci, stores=pair, seed=0):
        return {
            step.kind: step.key
            for step in Planner(budget, Stores(stores), CONFIGS).test("table_6_2d_3d", seed).before()
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
    for step in planner.test("table_6_2d_3d", 5).before():
        assert step.cfg.randomness.seed == step.cfg.model.data_preprocessor.seed == step.seed == 5


def test_nothing_is_validated_on(planner):
    lift = planner.train("table_6_2d_3d", 0).cfg
    assert lift.val_dataloader is lift.val_cfg is lift.default_hooks.checkpoint.save_best is None


def test_data_before_a_row_that_are_missing_are_told(ci, pair, tmp_path, monkeypatch):
    """The test store is there, but not what the pre-training reads."""
    monkeypatch.chdir(tmp_path)
    stores = Stores([f"h36m_train={pair[0]}", f"h36m_test={pair[1]}"])
    with pytest.raises(MissingDataError, match=r"pretrain_h36m_amass.py: .*amass_train: there is no pose store"):
        Planner(ci, stores, CONFIGS).test("table_6_2d_3d", 0)
    assert Planner(ci, stores, CONFIGS).test("table_6_scratch", 0).key
