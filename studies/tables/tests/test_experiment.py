from pathlib import Path

import pytest

from ..experiment import Experiment, checkpoint_of, pretrained_parts, strides_of, window_sets

CONFIGS = Path(__file__).parents[3] / "configs/mpm"
PRETRAIN = Experiment("pretrain_h36m_amass")


def test_a_leaf_as_it_is_but_for_what_comes_before():
    cfg = Experiment("lift_h36m_243").config(CONFIGS)
    assert cfg.model.backbone.init_cfg is None and cfg.load_from is None
    cfg = Experiment("lift_h36m_243", after=PRETRAIN).config(CONFIGS)
    (init,) = pretrained_parts(cfg)
    assert init.checkpoint == checkpoint_of(PRETRAIN, CONFIGS) == "work_dirs/pretrain_h36m_amass/epoch_15.pth"


def test_frames_reach_data_model_and_strides():
    cfg = Experiment("short", "lift_h36m_243", frames=27).config(CONFIGS)
    assert {dataset.window for dataset in window_sets(cfg)} == {27} and len(window_sets(cfg)) == 3
    assert cfg.model.backbone.num_frames == cfg.model.head.num_frames == 27
    assert cfg.model.head.strides == (3, 3, 3)
    cfg = Experiment("short", "pretrain_h36m_3dhp_amass", frames=81).config(CONFIGS)
    assert {dataset.window for dataset in window_sets(cfg)} == {81} and len(window_sets(cfg)) == 6
    assert "strides" not in cfg.model.head


def test_changes_are_merged_or_replace():
    changes = {
        "model.head.align": "first",
        "model.data_preprocessor": dict(seed=3),
        "model.backbone": dict(_delete_=True, type="MPMBackbone", num_frames=243),
    }
    cfg = Experiment("other", "lift_h36m_243", changes).config(CONFIGS)
    assert cfg.model.head.align == "first" and cfg.model.head.type == "LiftingHead"
    assert cfg.model.data_preprocessor.seed == 3 and cfg.model.data_preprocessor.flip
    assert dict(cfg.model.backbone) == dict(type="MPMBackbone", num_frames=243)


def test_what_is_only_tested_takes_all_weights_of_what_comes_before():
    trained = Experiment("completion_h36m_27", after=Experiment("pretrain_h36m_amass_27"))
    cfg = Experiment("row", "completion_h36m_27", after=trained, trained=False).config(CONFIGS)
    assert cfg.load_from == "work_dirs/completion_h36m_27/epoch_40.pth" and not list(pretrained_parts(cfg))


def test_strides():
    assert [strides_of(frames) for frames in (9, 243)] == [(3, 3), (3,) * 5]
    for frames in (1, 10, 54):
        with pytest.raises(ValueError, match=f"power of 3: 9, 27, 81 or 243, not {frames}"):
            strides_of(frames)
