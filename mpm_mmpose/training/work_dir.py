"""A training and its work directory: who may write there, and which checkpoint there it goes on from."""

from __future__ import annotations

import re
from pathlib import Path

from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.hooks import CheckpointHook, Hook
from mmengine.runner import CheckpointLoader, Runner
from mmengine.runner.base_loop import BaseLoop
from mmpose.registry import HOOKS

from .errors import TrainingStopped
from .work_dir_lock import lock_work_dir, unlock_work_dir

LAST = "last_checkpoint"


@HOOKS.register_module()
class WorkDirHook(Hook):
    """One training at a time in a work directory; one that is resumed goes on from the newest checkpoint that loads.

    The latter with `resume=True` and without `load_from`, where MMEngine takes what `last_checkpoint` says.
    Raises TrainingStopped for a work directory in use, and where there are checkpoints and none can be read.
    """

    priority = "HIGHEST"

    def before_run(self, runner: Runner) -> None:
        """Lock the work directory and choose the checkpoint."""
        if not is_training(runner):
            return
        if is_main_process():
            lock_work_dir(runner.work_dir)
        if runner._resume and runner._load_from is None:
            chosen = [_choose(runner) if is_main_process() else None]
            broadcast_object_list(chosen)
            checkpoint, unreadable = chosen[0]
            if unreadable:
                runner.logger.warning(f"going on from {checkpoint.name}: {'; '.join(unreadable)}")
            runner._load_from, runner._resume = checkpoint and str(checkpoint), checkpoint is not None

    def after_run(self, runner: Runner) -> None:
        """Give the work directory back."""
        unlock_work_dir(runner.work_dir)


def is_training(runner: Runner) -> bool:
    """Whether the Runner trains, and does not only test."""
    return isinstance(runner._train_loop, BaseLoop)  # else a config, or None


def _choose(runner: Runner) -> tuple[Path | None, list[str]]:
    hook = next((hook for hook in runner.hooks if isinstance(hook, CheckpointHook)), None)
    folder = Path(runner.work_dir)
    if hook is None:
        return newest_that_loads(folder)
    # As CheckpointHook does, once it begins.
    return newest_that_loads(Path(hook.out_dir, folder.name) if hook.out_dir else folder, hook.filename_tmpl, folder)


def last_name(folder: Path) -> str:
    """The file that `last_checkpoint` names, without its folder: a work directory may be copied. '' for none."""
    try:
        return Path((folder / LAST).read_text(encoding="utf-8").strip()).name
    except (FileNotFoundError, UnicodeDecodeError):
        return ""


def kept_checkpoint(folder: str | Path) -> str:
    """What a stopped training left, for its last message."""
    name = last_name(Path(folder))
    return f"{name} in {folder} is kept" if name else f"there is no checkpoint in {folder} yet"


def newest_that_loads(
    folder: Path, template: str = "epoch_{}.pth", work_dir: Path | None = None
) -> tuple[Path | None, list[str]]:
    """The checkpoint to go on from, None where there is none, and what is wrong with newer ones, one line each.

    That is the one named by `last_checkpoint`; where it cannot be read the newest before it that can; and the newest
    of all where `last_checkpoint` says nothing.

    Args:
        folder: where the checkpoints are.
        template: their names, with {} for the epoch.
        work_dir: where `last_checkpoint` is, if not there.

    Raises:
        TrainingStopped: there are checkpoints, or `last_checkpoint` names one, and none can be read.
    """
    name, pattern = last_name(work_dir or folder), re.compile(re.escape(template).replace(r"\{\}", r"(\d+)"))
    files = {int(found[1]): path for path in folder.glob("*") if (found := pattern.fullmatch(path.name))}
    newest = int(found[1]) if (found := pattern.fullmatch(name)) else max(files, default=0)
    unreadable = [] if newest in files or not name else [f"{name} is not there"]
    for step in sorted((step for step in files if step <= newest), reverse=True):
        if (fault := _fault(files[step])) is None:
            return files[step], unreadable
        unreadable.append(f"{files[step].name} {fault}")
    if unreadable:
        raise TrainingStopped(
            f"{folder}: no checkpoint to go on from ({'; '.join(unreadable)}). Give one with --resume FILE, or begin "
            "anew without --resume"
        )
    return None, []


def _fault(path: Path) -> str | None:
    """What is wrong with a file that should be a training's checkpoint; None for nothing."""
    try:
        meta = CheckpointLoader.load_checkpoint(str(path), map_location="cpu", logger="silent")["meta"]
        return None if isinstance(meta["epoch"], int) else "does not say its epoch"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except Exception:  # torch answers damaged files with errors of many kinds
        return "is damaged or no checkpoint of a training"
