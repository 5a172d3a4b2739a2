"""Errors of predicted 3D poses, counted as they come, under a named protocol."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from . import report
from .accumulator import MASKED, Accumulator, merged
from .bootstrap import FEWEST
from .pck import columns_of_groups
from .pose_error import ERRORS, MILLIMETRES, TITLES
from .pose_reader import UNNAMED, PoseReader
from .protocol import get_protocol
from .smoothness import ERRORS as SMOOTHNESS
from .summary import Row, Summary

__all__ = ["ERRORS", "MILLIMETRES", "TITLES", "PoseErrorMetric"]


@METRICS.register_module()
class PoseErrorMetric(BaseMetric):
    """MPJPE, P-MPJPE, N-MPJPE, MPJVE, acceleration error, PCK and AUC of 3D poses; millimetres and per cent.

    Reads the data samples that `PoseReader` describes. Poses are added up as they come and not kept; in several
    processes each keeps its own sums, and a window that a sampler repeats counts once.

    Gives over all frames: `mpjpe`, `p_mpjpe`, `n_mpjpe`; `mpjve`, `acceleration` where the samples have sequence and
    frame; `pck`, `auc` where the keypoints have names; `masked/<error>` where keypoints were masked; each also as
    `<figure>/mean_over_actions`, the mean of the actions' means, which papers report for Human3.6M. Of the protocol's
    headline `<figure>/low` and `<figure>/high` as well, the 95 % interval, also on masked keypoints. Under
    'released_mpm' also `released/<figure>`. What is missing, the report says why. See docs/evaluation.md.

    Args:
        protocol: Preset by name: 'plain', 'h36m_p1', 'h36m_p2', '3dhp', 'released_mpm'.
        keypoint_set: Names of the keypoints, where the data set's metainfo does not say.
        masked_keypoints: Keypoints, or limbs, that the model was not given, where the samples do not say.
        dump: Write the poses to this .npz; keeps them all in memory. See `PoseDump.write`.
        collect_device, prefix, collect_dir: Of mmengine's BaseMetric.
        options: Single choices of `Protocol`, in place of the preset's.

    Raises ValueError where there are no poses or no keypoint counts, where a pose is not finite, and for an unknown
    protocol, option or keypoint; KeyError where the data set does not name its actions or sequences.
    """

    default_prefix = "pose"

    def __init__(
        self,
        protocol: str = "plain",
        keypoint_set: str | None = None,
        masked_keypoints: Sequence[str] = (),
        dump: str | Path | None = None,
        collect_device: str = "cpu",
        prefix: str | None = None,
        collect_dir: str | None = None,
        **options: object,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix, collect_dir=collect_dir)
        self.protocol = get_protocol(protocol, **options)
        self.keypoint_set = keypoint_set
        self.masked_keypoints = (masked_keypoints,) if isinstance(masked_keypoints, str) else tuple(masked_keypoints)
        if dump is not None and Path(dump).suffix != ".npz":
            raise ValueError(f"PoseErrorMetric(dump={str(dump)!r}): give a file that ends with .npz")
        self.dump = dump
        self._reader: PoseReader | None = None
        self._size: int | None = None
        self.by_action: dict[str, Row] = {}
        """Action to its figures and the number of its poses (`poses`); of the last evaluation, as the next three."""
        self.by_sequence: dict[str, Row] = {}
        self.by_keypoint: dict[str, Row] = {}
        self.report = ""

    @BaseMetric.dataset_meta.setter
    def dataset_meta(self, dataset_meta: dict | None) -> None:
        """Set the data set's metainfo; choices that do not fit it are refused here, before a model runs."""
        self._dataset_meta = dataset_meta
        self._new_reader()

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Add up a batch."""
        del data_batch
        if not data_samples:
            return
        if not self.results:
            self._reader = self._new_reader()
            # One entry a process: mmengine interleaves the processes' entries and cuts them off at the set's size.
            self.results.append(Accumulator(self._reader, dump=self.dump is not None))
        self.results[0].add(self._reader.read(data_samples))

    def evaluate(self, size: int) -> dict[str, float]:
        """Put the processes together and give the figures; size: number of data samples of the data set."""
        self._size = size
        return super().evaluate(max(size, get_world_size()))

    def compute_metrics(self, results: list[Accumulator]) -> dict[str, float]:
        """Figures of what the processes have seen; see the class."""
        if not results:
            raise ValueError(
                "PoseErrorMetric got no poses: the test set is empty. Check its subjects, actions and window."
            )
        reader = self._reader or self._new_reader()
        seen = merged(results, self._size)
        names = reader.keypoints.names if reader.keypoints else [f"keypoint {i}" for i in range(seen.keypoints)]
        if seen.dump is not None and seen.dump.batches:
            seen.dump.write(self.dump, seen.actions, seen.sequences, names)
        if seen.not_finite:
            raise ValueError(
                f"{seen.not_finite} of {seen.poses} predicted poses are not finite (NaN or infinite): did training "
                "diverge, or is the checkpoint not one of this model?"
            )
        if not seen.poses:
            raise ValueError(
                "PoseErrorMetric got no pose with a keypoint that counts: gt_instances.lifting_target_visible marks "
                f"all as invisible, or protocol {self.protocol.name} leaves all out (block list, keypoints, frames)."
            )
        missing = self._missing(seen, reader)
        groups = columns_of_groups(reader.keypoints) if reader.keypoints else {}
        summary = Summary(seen.cells, groups, self.protocol, left_out=missing)
        self.by_action, self.by_sequence = summary.by_action(), summary.by_sequence()
        self.by_keypoint = summary.by_keypoint(names)
        return self._figures(seen, summary, missing, reader)

    def _new_reader(self) -> PoseReader:
        return PoseReader(self.dataset_meta or {}, self.protocol, self.keypoint_set, self.masked_keypoints)

    @staticmethod
    def _missing(seen: Accumulator, reader: PoseReader) -> dict[str, str]:
        """Figure to the reason why there is none."""
        missing = {}
        if seen.smoothness.problem or not seen.has_frames:
            reason = seen.smoothness.problem or "the samples have no gt_instances.sequence and frame"
            missing |= dict.fromkeys(SMOOTHNESS, reason)
        if reader.keypoints is None:
            reason = "the data set does not name its keypoints; give PoseErrorMetric(keypoint_set=...)"
            missing |= dict.fromkeys(("pck", "auc"), reason)
        if len({sequence for sequence, _ in seen.cells}) < FEWEST:
            unnamed = {sequence for sequence, _ in seen.cells} == {UNNAMED} and seen.sequences is None
            missing["intervals"] = (
                "the samples have no gt_instances.sequence" if unnamed else "there is one sequence only"
            )
        return missing

    def _figures(
        self, seen: Accumulator, summary: Summary, missing: dict[str, str], reader: PoseReader
    ) -> dict[str, float]:
        """What `evaluate` gives; writes the report."""
        frames, actions = summary.total(), summary.mean_over_actions()
        names = [*ERRORS, *SMOOTHNESS, "pck", "auc", *(MASKED if seen.has_masked else ())]
        names = [name for name in names if np.isfinite(frames.get(name, np.nan))]
        if "p_mpjpe" not in names:
            missing["p_mpjpe"] = "fewer than three keypoints count in every pose"
        missing |= {
            name: "no two neighbouring frames, or no three" for name in SMOOTHNESS if name not in (*names, *missing)
        }
        figures = {name: frames[name] for name in names}
        figures |= {f"{name}/mean_over_actions": actions[name] for name in names}
        intervals: dict[str, dict] = {"frames": {}, "actions": {}}
        if "intervals" not in missing:
            intervals = {over: summary.intervals(names, over == "actions") for over in intervals}
            quoted = self.protocol.headline
            for name in (*quoted, *(f"masked/{name}" for name in quoted)):
                if name in names:
                    low, high = intervals[self.protocol.average][name]
                    figures |= {f"{name}/low": low, f"{name}/high": high}
        released = seen.released.figures() if seen.released else {}
        figures |= {f"released/{name}": value for name, value in released.items()}

        lines = report.protocol_lines(
            self.protocol,
            self.dataset_meta or {},
            reader.keypoints and reader.keypoints.name,
            f"{seen.poses} of {seen.predicted} predicted poses count",
            self.masked_keypoints,
        )
        lines += ["", *report.headline_lines(self.protocol, frames, actions, intervals, missing)]
        last = {"mean over actions": actions, "all poses": frames}
        lines += report.error_table("Pose error by action", "action", self.by_action, last)
        if seen.has_masked:
            lines += report.masked_table(frames)
        lines += report.keypoint_table(self.by_keypoint, seen.has_masked)
        if "pck" in self.protocol.headline and "pck" not in missing:
            lines += report.pck_tables("by sequence", "sequence", self.by_sequence, frames)
            lines += report.pck_tables("by activity", "activity", self.by_action, frames)
        if released:
            lines += report.released_table(actions, frames, released)
        self.report = "\n".join(lines)
        MMLogger.get_current_instance().info(self.report)
        return figures
