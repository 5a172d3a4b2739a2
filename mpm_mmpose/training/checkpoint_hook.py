"""Checkpoints of a training that may be killed at any moment."""

import re
from pathlib import Path

import torch
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.fileio import get_file_backend
from mmengine.hooks import CheckpointHook
from mmengine.model import is_model_wrapper
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from .errors import TrainingStopped
from .work_dir import LAST, is_training, kept_checkpoint

# Entries of MMEngine's runtime_info: the epoch last validated, and best checkpoints that may have a successor.
VALIDATED, SUPERSEDED = "validated_epoch", "superseded_best_ckpts"


@HOOKS.register_module()
class ResumableCheckpointHook(CheckpointHook):
    """MMEngine's CheckpointHook, whose run ends with the same last and best model wherever it is killed and resumed.

    - A new file is there, whole, before an old one goes. What is to be removed stands in the new one, so that a
      resumed run removes it.
    - After validation the checkpoint of its epoch is written again, with what was found. Where a kill prevented that,
      the validation is made up for when the run is resumed.
    - `last_checkpoint` names a file without its folder, so a work directory may be copied.
    - Weights that are not finite are not saved.

    Raises TrainingStopped for such weights, and for a `save_best` that validation does not give.
    """

    def before_train(self, runner: Runner) -> None:
        """Remove what a killed run left, and validate where it was killed before it had validated."""
        super().before_train(runner)
        self.keep_ckpt_ids = list(getattr(self, "keep_ckpt_ids", ()))
        self._validated_in_file = None
        self._set_bests({key: path and self._in_out_dir(path) for key, path in self._bests().items()})
        if is_main_process():
            self._clean(runner)
        self._forget_missing_bests(runner)
        if self._validation_is_missing(runner):
            runner.logger.info(f"epoch {runner.epoch} is validated now: the run was stopped before")
            self.last_ckpt = self._in_out_dir(self.filename_tmpl.format(runner.epoch))
            runner.val_loop.run()

    def after_val_epoch(self, runner: Runner, metrics: dict) -> None:
        """Save the best checkpoint, and that of the epoch once more."""
        if not is_training(runner):
            return
        for key in self.save_best or ():
            if metrics and key not in metrics and key != "auto":
                known = ", ".join(map(repr, metrics))
                raise TrainingStopped(f"save_best of CheckpointHook is {key!r}; validation gives {known}")
        runner.message_hub.update_info(VALIDATED, runner.epoch)
        super().after_val_epoch(runner, metrics)
        if self._validated_in_file != runner.epoch and self._is_of_this_epoch(runner, self.last_ckpt):
            self._save_checkpoint_with_step(runner, runner.epoch, dict(epoch=runner.epoch, iter=runner.iter))

    def _save_best_checkpoint(self, runner: Runner, metrics: dict) -> None:
        old = self._bests()
        runner.message_hub.update_info(SUPERSEDED, [Path(path).name for path in old.values() if path])
        self._set_bests(dict.fromkeys(old))  # MMEngine would remove them before their successors are there
        super()._save_best_checkpoint(runner, metrics)
        self._set_bests({key: path or old[key] for key, path in self._bests().items()})
        self._remove_superseded(runner)

    def _save_checkpoint_with_step(self, runner: Runner, step: int, meta: dict) -> None:
        _check_weights(runner)
        if self.max_keep_ckpts > 0:
            if step not in self.keep_ckpt_ids:
                self.keep_ckpt_ids.append(step)
            # With those that go when this file is there: a run killed in between removes them when it is resumed.
            runner.message_hub.update_info("keep_ckpt_ids", list(self.keep_ckpt_ids))
        name = self.filename_tmpl.format(step)
        self.last_ckpt = self._in_out_dir(name)
        runner.message_hub.update_info("last_ckpt", self.last_ckpt)
        runner.save_checkpoint(
            self.out_dir,
            name,
            self.file_client_args,
            save_optimizer=self.save_optimizer,
            save_param_scheduler=self.save_param_scheduler,
            meta=meta,
            by_epoch=self.by_epoch,
            backend_args=self.backend_args,
            **self.args,
        )
        self._validated_in_file = runner.message_hub.runtime_info.get(VALIDATED)
        if is_main_process():
            last = str(Path(runner.work_dir, LAST))
            get_file_backend(backend_args=dict(backend="atomic_local")).put(name.encode(), last)
        while 0 < self.max_keep_ckpts < len(self.keep_ckpt_ids):
            self._remove(self.filename_tmpl.format(self.keep_ckpt_ids.pop(0)))

    def _bests(self) -> dict[str, str | None]:
        """The best checkpoint so far of each metric, by its entry in runtime_info."""
        if not self.save_best:
            return {}
        if len(self.key_indicators) == 1:
            return dict(best_ckpt=self.best_ckpt_path)
        return {f"best_ckpt_{key}": self.best_ckpt_path_dict[key] for key in self.key_indicators}

    def _set_bests(self, bests: dict[str, str | None]) -> None:
        if "best_ckpt" in bests:
            self.best_ckpt_path = bests["best_ckpt"]
        else:
            self.best_ckpt_path_dict = {key.removeprefix("best_ckpt_"): path for key, path in bests.items()}

    def _forget_missing_bests(self, runner: Runner) -> None:
        """Without its file a best score keeps later models from being the best that is there."""
        missing = [[key for key, path in self._bests().items() if path and not self.file_backend.isfile(path)]]
        broadcast_object_list(missing)
        for key in missing[0]:
            runner.logger.warning(f"{self._bests()[key]} is not there: the best checkpoint is chosen from here on")
            for entry in (key, key.replace("best_ckpt", "best_score", 1)):
                runner.message_hub.runtime_info.pop(entry, None)
            self._set_bests(self._bests() | {key: None})

    def _validation_is_missing(self, runner: Runner) -> bool:
        loop, epoch = runner.train_loop, runner.epoch
        if runner.val_loop is None or epoch == 0 or not isinstance(loop, EpochBasedTrainLoop):
            return False
        if runner.message_hub.runtime_info.get(VALIDATED) == epoch and all(self._bests().values()):
            return False
        loop._decide_current_val_interval()
        return epoch >= loop.val_begin and (epoch % loop.val_interval == 0 or epoch == loop.max_epochs)

    def _clean(self, runner: Runner) -> None:
        for folder in {Path(self.out_dir), Path(runner.work_dir)}:
            for path in folder.glob("*.partial"):
                if re.fullmatch(r".+\.\d+\.partial", path.name):
                    path.unlink()
        self._remove_superseded(runner)

    def _remove_superseded(self, runner: Runner) -> None:
        kept = {path and Path(path).name for path in self._bests().values()}
        for name in runner.message_hub.runtime_info.get(SUPERSEDED, ()):
            if re.fullmatch(r"best_[^/]+\.pth", str(name)) and name not in kept:
                self._remove(name)

    def _remove(self, name: str) -> None:
        path = self._in_out_dir(name)
        if is_main_process() and self.file_backend.isfile(path):
            self.file_backend.remove(path)

    def _in_out_dir(self, name: str) -> str:
        return self.file_backend.join_path(self.out_dir, Path(name).name)

    def _is_of_this_epoch(self, runner: Runner, path: str | None) -> bool:
        return path == self._in_out_dir(self.filename_tmpl.format(runner.epoch))


def _check_weights(runner: Runner) -> None:
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    floats = {name: x for name, x in model.state_dict().items() if torch.is_tensor(x) and x.is_floating_point()}
    finite = torch.stack([x.isfinite().all() for x in floats.values()]).tolist()
    if bad := [name for name, good in zip(floats, finite, strict=True) if not good]:
        raise TrainingStopped(
            f"{len(bad)} of {len(finite)} weights are not finite after epoch {runner.epoch + 1}, as {bad[0]}: training "
            f"stopped; {kept_checkpoint(runner.work_dir)}. Look for values in the data that cannot be, or lower the "
            "learning rate"
        )
