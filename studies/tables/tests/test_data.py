from pathlib import Path

import pytest
from mmengine.config import Config

from ..data import Stores, describe, stores_of, why_missing
from ..experiment import Experiment, window_sets
from ..tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"


def config(leaf, *given):
    cfg = (Experiment(leaf) if isinstance(leaf, str) else leaf).config(CONFIGS)
    Stores(given).put_into(cfg)
    return cfg


def test_paths_replace_all_stores_and_twins_become_one(tmp_path):
    a, b, c = (str(tmp_path / name) for name in "abc")
    lift = config("lift_h36m_243", a, b, c)
    assert list(stores_of(lift, ["train"])) == [a, b] and list(stores_of(lift, ["test"])) == [c]
    assert lift.test_evaluator.average == "frames"
    pretrain = config("pretrain_h36m_amass", a, c).train_dataloader.dataset
    assert pretrain.dataset_2d.store == a
    large = config("pretrain_h36m_3dhp_amass", a, c).train_dataloader.dataset
    assert large == pretrain
    tests = {row: TABLES["E"].rows[row].tests[""] for row in ("small", "base")}
    for row, share in (("small", 0.375), ("base", 0.75)):
        some = config(tests[row].after, a, c).train_dataloader.dataset.dataset_3d
        assert (some.type, len(some.datasets), some.fractions) == ("MixedPoseDataset", 1, [share])
    assert all(dataset.keypoint_set == "h36m_17" for dataset in window_sets(config(tests["small"], a, c)))


def test_names_replace_single_stores(tmp_path):
    cfg = config("pretrain_h36m_amass", f"amass_train={tmp_path}")
    assert cfg.train_dataloader.dataset.dataset_2d.store == [
        str(Path.cwd() / "data/stores/h36m_train"),
        str(tmp_path),
    ]
    lift = config("lift_h36m_243", f"h36m_test={tmp_path}")
    assert list(stores_of(lift, ["test"])) == [str(tmp_path)]
    assert "average" not in lift.test_evaluator, "the paper's data, the paper's mean over actions"


def test_a_name_that_nothing_reads_is_told(tmp_path):
    stores = Stores([f"h36m_tset={tmp_path}"])
    stores.put_into(Config.fromfile(CONFIGS / "lift_h36m_243.py"))
    with pytest.raises(ValueError, match=r"store called h36m_tset; read are \['h36m_test', 'h36m_train'\]"):
        stores.check_names()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["a"], "two stores or more"),
        (["a", "b", "a"], "a is to be tested on and trained on"),
        (["a", "h36m_test=b"], "not both"),
    ],
)
def test_wrong_choices_are_told(given, message):
    with pytest.raises(ValueError, match=message):
        Stores(given)


def test_what_is_there_is_described_and_what_is_not_names_its_converter(pair, tmp_path):
    assert describe(pair[:1]) == "some_train (1 recordings, 60 frames at 50 Hz)"
    assert why_missing(pair) is None
    assert "tools/dataset_converters/h36m.py" in why_missing([*pair, str(tmp_path / "h36m_train")])
