from pathlib import Path

from mmengine.config import Config

from studies.tables.leaves import write_configs
from studies.tables.tables import TABLES

CONFIGS = Path(__file__).parents[3] / "configs/mpm"


def test_a_row_of_table_c_is_three_configs(tmp_path):
    paths = write_configs(TABLES["C"], ["keypoints_5_frames_80"], CONFIGS, tmp_path / "new")
    assert sorted(paths) == sorted((tmp_path / "new").iterdir()) and len(paths) == 3
    pretraining, *lifters = (Config.fromfile(path) for path in paths)
    masking = pretraining.model.data_preprocessor.masking
    assert (masking.type, masking.masked_keypoints, masking.frame_ratio) == ("spatio_temporal", 5, 0.8)
    # Each starts where the one before it ends.
    starts = [
        part.init_cfg.checkpoint
        for lifter in lifters
        for part in (lifter.model, lifter.model.backbone)
        if part.get("init_cfg")
    ]
    assert [Path(start).parent.name for start in starts] == [path.stem for path in paths[:2]]


def test_trainings_that_rows_share_are_written_once(tmp_path):
    names = [path.name for path in write_configs(TABLES["6"], ["scratch", "2d_3d"], CONFIGS, tmp_path)]
    assert len(names) == len(set(names))
