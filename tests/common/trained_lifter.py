"""A small lifter that was really trained, for tests of what its checkpoint is good for."""

from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.runner import Runner
from noise_clips import noise_clip

import mpm_mmpose.register  # noqa: F401
from mpm_mmpose.data import write_store

CONFIGS = Path(__file__).parents[2] / "configs/mpm"
# Nothing here is as by default: what a checkpoint does not say shows in the poses.
CONFIG = """
_base_ = ["{configs}/lift_mocap_27.py"]

model = dict(
    backbone=dict(
        num_frames=9, channels=16, hidden_channels=32, depth=1, num_heads=2, place_apart=True, mask_tokens=True,
        init_cfg=None,
    ),
    head=dict(num_frames=9, strides=(3, 3), channels=16, hidden_channels=32, num_heads=2, align="first"),
)
_windows = dict(window=9, frame_step=2)
_loader = dict(batch_size=16, num_workers=0, persistent_workers=False)  # workers of a test's own process end noisily
train_dataloader = dict(dataset=dict(store="{stores}/train", **_windows), **_loader)
val_dataloader = dict(dataset=dict(store="{stores}/val", **_windows), **_loader)
test_dataloader = dict(dataset=dict(store="{stores}/val", **_windows), **_loader)
train_cfg = dict(max_epochs=1)
log_level = "ERROR"
"""


def write_files(folder: Path) -> Path:
    """Stores and a config in a folder; returns the config's path."""
    rng = np.random.default_rng(0)
    for name, frames in (("train", (30, 18)), ("val", (12,))):
        clips = [noise_clip(f"clip {i}", number, rng, action="walk") for i, number in enumerate(frames)]
        write_store(folder / "stores" / name, clips)
    config = folder / "tiny.py"
    config.write_text(CONFIG.format(configs=CONFIGS, stores=folder / "stores"))
    return config


def train(config: Path, work_dir: Path, **changes: object) -> Path:
    """Train as tools/train.py does, in this process, with changes of config fields; returns the last checkpoint."""
    cfg = Config.fromfile(config)
    cfg.merge_from_dict(changes)
    cfg.work_dir, cfg.experiment_name = str(work_dir), f"{work_dir} {sorted(changes)}"
    Runner.from_cfg(cfg).train()
    return work_dir / f"epoch_{cfg.train_cfg.max_epochs}.pth"
