"""MPJPE, P-MPJPE and N-MPJPE in millimetres: over all poses, by action, and as the mean over actions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from numpy.typing import ArrayLike

from .pose_error import mpjpe, n_mpjpe, p_mpjpe

MILLIMETRES = 1000
ERRORS = {"mpjpe": mpjpe, "p_mpjpe": p_mpjpe, "n_mpjpe": n_mpjpe}
TITLES = {"mpjpe": "MPJPE", "p_mpjpe": "P-MPJPE", "n_mpjpe": "N-MPJPE"}


@METRICS.register_module()
class PoseErrorMetric(BaseMetric):
    """Errors of predicted 3D poses in millimetres.

    Reads data samples with `pred_instances.keypoints` and `gt_instances.lifting_target`, both (N, K, 3) in metres and
    the same space (root-relative as our preprocessor gives them). Two kinds are understood: those of our data sets,
    with `gt_instances.window` and `gt_instances.action`, indices into `dataset_meta['actions']`; and mmpose's own,
    whose action is in the name of `target_img_path` (as mmpose's MPJPE reads it). Windows that a distributed sampler
    repeats count once. Predictions are not kept, only their errors.

    Gives `mpjpe`, `p_mpjpe`, `n_mpjpe`: the mean over all poses; and `<error>/mean_over_actions`: the mean of the
    actions' means, the figure that papers report for Human3.6M. The table by action goes to the log and to `by_action`.
    Raises ValueError where there are no poses, where a pose is not finite, or where a ground truth keypoint is marked
    invisible.
    """

    default_prefix = "pose"

    def __init__(self, collect_device: str = "cpu", prefix: str | None = None, collect_dir: str | None = None) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.by_action: dict[str, dict[str, float]] = {}
        """Action to its errors in millimetres and the number of its poses (`poses`); of the last evaluation."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Keep the errors of a batch; one entry a data sample, as mmengine counts them."""
        del data_batch
        for sample in data_samples:
            gt = _poses(sample["gt_instances"]["lifting_target"])
            pred = _poses(sample["pred_instances"]["keypoints"])
            if not np.isfinite(gt).all():
                raise ValueError(f"{_bad(gt)} of {len(gt)} ground truth poses are not finite (NaN or infinite).")
            if not np.all(_array(sample["gt_instances"].get("lifting_target_visible", 1))):
                raise ValueError(
                    "gt_instances.lifting_target_visible marks keypoints as invisible; PoseErrorMetric averages over "
                    "all keypoints. Leave those poses out of the data set, or use mmpose's MPJPE."
                )
            result = {name: error(pred, gt) for name, error in ERRORS.items()}
            result["action"] = self._actions(sample, len(gt))
            window = sample["gt_instances"].get("window")
            # Without a window index, mmengine itself drops the samples that a sampler repeated.
            result["window"] = None if window is None else _array(window)
            self.results.append(result)

    def _actions(self, sample: dict, poses: int) -> np.ndarray:
        """(N,) name of the action of every pose."""
        ids = sample["gt_instances"].get("action")
        if ids is None:
            path = sample.get("target_img_path")
            return np.repeat(_action_of(path) if path is not None else "all", poses)
        names = (self.dataset_meta or {}).get("actions")
        if names is None:
            raise KeyError("PoseErrorMetric needs the names of the actions: the data set's metainfo has no 'actions'.")
        return np.asarray(names, dtype=str)[_array(ids)]

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Errors in millimetres of all results; see the class."""
        if not results:
            raise ValueError(
                "PoseErrorMetric got no poses: the test set is empty. Check its subjects, actions and window."
            )
        columns = {name: np.concatenate([result[name] for result in results]) for name in (*ERRORS, "action")}
        if all(result["window"] is not None for result in results):
            _, first = np.unique(np.concatenate([result["window"] for result in results]), return_index=True)
            columns = {name: column[first] for name, column in columns.items()}
        actions = columns.pop("action")
        errors = {name: MILLIMETRES * column for name, column in columns.items()}
        bad = int((~np.isfinite(errors["mpjpe"])).sum())
        if bad:
            raise ValueError(
                f"{bad} of {len(actions)} predicted poses are not finite (NaN or infinite): did training diverge, or "
                "is the checkpoint not one of this model?"
            )

        self.by_action = {}
        for action in np.unique(actions):
            chosen = actions == action
            means = {name: float(column[chosen].mean()) for name, column in errors.items()}
            self.by_action[str(action)] = means | {"poses": int(chosen.sum())}
        metrics = {name: float(column.mean()) for name, column in errors.items()}
        means = {name: float(np.mean([row[name] for row in self.by_action.values()])) for name in errors}
        MMLogger.get_current_instance().info(self._table(metrics, means, len(actions)))
        return metrics | {f"{name}/mean_over_actions": value for name, value in means.items()}

    def _table(self, all_poses: dict[str, float], mean_over_actions: dict[str, float], poses: int) -> str:
        """The errors by action as text, one line an action."""
        rows = [*self.by_action.items()]
        rows += [("mean over actions", mean_over_actions), ("all poses", all_poses | {"poses": poses})]
        width = max(len(name) for name, _ in rows)
        lines = ["Pose error in mm", " " * width + "".join(f"{TITLES[name]:>10}" for name in ERRORS) + f"{'poses':>10}"]
        for name, row in rows:
            figures = "".join(f"{row[error]:10.2f}" for error in ERRORS)
            lines.append(f"{name:<{width}}{figures}{row.get('poses', ''):>10}")
        return "\n".join(lines)


def _array(value: Any) -> np.ndarray:
    """Tensor of any device, or array, as a numpy array."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _poses(value: ArrayLike) -> np.ndarray:
    """(N, K, 3) of (N, K, 3) or of mmpose's (1, N, K, 3)."""
    poses = _array(value)
    return poses[0] if poses.ndim == 4 and len(poses) == 1 else poses


def _bad(poses: np.ndarray) -> int:
    return int((~np.isfinite(poses).all((1, 2))).sum())


def _action_of(target_img_path: str | Sequence[str]) -> str:
    """Action in a Human3.6M image name, `S9_Walking_1.54138969_000001.jpg` -> `Walking`; as in mmpose's MPJPE."""
    path = target_img_path if isinstance(target_img_path, str) else target_img_path[0]
    return PurePath(path).name.split("_", 1)[-1].split(".", 1)[0].split("_")[0]
