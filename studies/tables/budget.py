"""How much of the paper's training is done: named budgets, put into a config."""

from __future__ import annotations

from dataclasses import dataclass

from mmengine.config import Config, ConfigDict

from mpm_mmpose.data.pose_store import PoseStore

from .experiment import set_frames

PRETRAINING = "MaskedPoseEstimator"
_WIDTHS = ("channels", "hidden_channels")
_DROPS = ("drop", "attn_drop", "mlp_drop")


@dataclass(frozen=True)
class Budget:
    """None leaves what the configs say."""

    name: str
    batch: int = 1024
    """Windows a step over all processes. 1024 is the released code's; the paper gives none."""
    pretrain_steps: int | None = None
    finetune_steps: int | None = None
    epochs: int | None = None
    """Parts in which the steps are done; each goes through the same windows, and a resumed run begins with one."""
    frames: int | None = None
    """Window length, a power of 3."""
    channels: int | None = None
    """Width; feed-forward networks are twice as wide. A narrow model trains without dropout."""
    test_windows: int | None = None
    """Windows to test a target frame of; data sets of whole windows are always tested whole."""
    short: bool = False
    """Warm-up to at most 1e-3 and a fall to 0, for runs of so few steps that the paper's rates do not fit."""

    def apply(self, cfg: Config) -> None:
        """Change a config of a training or test in place; its stores must be there."""
        if self.frames:
            set_frames(cfg, self.frames)
        self._narrow(cfg.model)
        cfg.train_dataloader.batch_size = self.batch
        if cfg.get("test_dataloader") and self.test_windows:
            test = cfg.test_dataloader.dataset
            whole = test.type == "PoseChunkDataset"
            test.max_windows = -(-self.test_windows // test.window) if whole else self.test_windows
        if self.epochs:
            cfg.train_cfg.max_epochs = self.epochs
        pretraining = cfg.model.type == PRETRAINING
        steps = self.pretrain_steps if pretraining else self.finetune_steps
        if steps:
            self._limit_steps(cfg, steps)
        if self.short:
            self._shorten_schedule(cfg, pretraining, steps)
            for name in ("train_dataloader", "test_dataloader"):
                if cfg.get(name):
                    cfg[name].update(num_workers=0, persistent_workers=False, pin_memory=False)

    def differences(self) -> list[str]:
        """What differs from the paper's training, in words."""
        if self.name == "paper":
            return []
        said = (
            [f"batch {self.batch} (released code: {Budget.batch}, the paper gives none)"]
            if self.batch != Budget.batch
            else []
        )
        if self.pretrain_steps or self.finetune_steps:
            said.append(
                f"{self.pretrain_steps or 'all'} steps of pre-training and {self.finetune_steps or 'all'} of "
                "fine-tuning (paper: 15 epochs, and 40 on Human3.6M or 100 on MPI-INF-3DHP)"
            )
        if self.frames:
            said.append(f"{self.frames} frames in every row, so that rows which differ in frames are one and the same")
        if self.channels:
            said.append(f"width {self.channels} without dropout (paper: 256, with)")
        if self.short:
            said.append("warm-up and cosine from at most 1e-3 (paper: factor 0.97 an epoch from 1e-4 and 1.6e-3)")
        if self.test_windows:
            said.append(f"at most about {self.test_windows} test frames, evenly spaced")
        return [f"Budget '{self.name}': {'; '.join(said)}."]

    def _narrow(self, model: ConfigDict) -> None:
        if self.channels:
            for part, drops in ((model.backbone, _DROPS), (model.head, _DROPS[:2])):
                part.update(dict(zip(_WIDTHS, (self.channels, 2 * self.channels), strict=True)))
                part.update(dict.fromkeys(drops, 0.0))

    def _limit_steps(self, cfg: Config, steps: int) -> None:
        epochs = cfg.train_cfg.max_epochs
        dataset = cfg.train_dataloader.dataset
        parts = [dataset[name] for name in ("dataset_2d", "dataset_3d") if dataset.get(name)] or [dataset]
        for part in parts:
            members = part.get("datasets", [part])
            for member in members:
                member.max_windows = max(1, steps * self.batch // epochs // len(members))
        # A store with fewer windows is gone through more often.
        there = [
            sum(min(member.max_windows, _windows(member)) for member in part.get("datasets", [part])) for part in parts
        ]
        cfg.train_cfg.max_epochs = max(epochs, round(steps * self.batch / max(self.batch, *there)))

    @staticmethod
    def _shorten_schedule(cfg: Config, pretraining: bool, steps: int | None) -> None:
        optimizer = cfg.optim_wrapper.optimizer
        optimizer.lr = 1e-3 if pretraining else min(optimizer.lr, 1e-3)
        warm_up = 20 if steps is None else max(1, min(20, steps // 5))
        cfg.param_scheduler = [
            dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=warm_up),
            dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True),
        ]


BUDGETS = {
    budget.name: budget
    for budget in (
        Budget("paper"),
        Budget("cpu", 64, 600, 400, 5, frames=27, channels=128, test_windows=8192, short=True),
        Budget("ci", 4, 2, 2, 1, frames=9, channels=16, test_windows=64, short=True),
    )
}


def _windows(dataset: ConfigDict) -> int:
    stores = [dataset.store] if isinstance(dataset.store, str) else dataset.store
    return sum(PoseStore(store).num_frames for store in stores)
