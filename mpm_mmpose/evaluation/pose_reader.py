"""Data samples, ours and mmpose's, as flat arrays of poses, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import PurePath
from typing import Any

import numpy as np

from ..pose.keypoints import KeypointSet, get_keypoint_set
from .protocol import Protocol

# Stands for the sequence, or the action, of data that has none.
UNNAMED = "all"
#: What may stand in a sample's metainfo as well: `meta_keys` of mmpose's `PackPoseInputs`.
NUMBERED = ("sequence", "frame", "action")


@dataclass
class PoseBatch:
    """B windows of T predicted frames (T is 1 for models that predict the target frame); see `PoseReader`."""

    pred: np.ndarray
    gt: np.ndarray
    counted: np.ndarray
    masked: np.ndarray | None
    action: np.ndarray
    sequence: np.ndarray | None
    frame: np.ndarray | None
    window: np.ndarray | None
    sample: np.ndarray
    """(B,) number of the data sample that each window came in."""

    def take(self, chosen: np.ndarray) -> PoseBatch:
        """The chosen windows, or the chosen frames of a flat batch."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: array[chosen] for name, array in arrays.items() if array is not None})

    def flat(self) -> PoseBatch:
        """Frames one after the other: pred, gt (P, K, 3), counted, masked (P, K), the others (P,)."""
        per_window = {"window": self.window, "sample": self.sample}
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        flat = {
            name: np.repeat(array, self.pred.shape[1]) if name in per_window else array.reshape(-1, *array.shape[2:])
            for name, array in arrays.items()
            if array is not None
        }
        return replace(self, **flat)


class PoseReader:
    """What a data set's samples hold, under one protocol.

    A sample has `pred_instances.keypoints` and `gt_instances.lifting_target`, (N, K, 3) or (N, T, K, 3), metres, the
    same space; and may have, in gt_instances: lifting_target_visible and masked, bool, (N, K) or (N, T, K); window and
    sequence (N,), frame (N,) or (N, T), action (N,) or (N, T). Indices of sequences and actions are names in the data
    set's metainfo; mmpose's samples may have sequence, frame and action in their own. Samples of mmpose's data sets
    have their action in `target_img_path`.

    meta: the data set's metainfo. keypoint_set: name of the columns, where the metainfo does not say. masked_keypoints:
    keypoints, or limbs, that were masked in all frames, where the samples do not say.
    Raises KeyError or ValueError that names the field and what to do.
    """

    def __init__(
        self,
        meta: Mapping[str, Any],
        protocol: Protocol,
        keypoint_set: str | None = None,
        masked_keypoints: Sequence[str] = (),
    ) -> None:
        self.protocol = protocol
        name = meta.get("keypoint_set", keypoint_set)
        if None not in (name, keypoint_set) and name != keypoint_set:
            raise ValueError(f"keypoint_set={keypoint_set!r}, but the data set's keypoints are {name!r}")
        self.keypoints = None if name is None else get_keypoint_set(name)
        if self.keypoints is None and (
            protocol.keypoints or not protocol.root or protocol.root_alignment != "as_predicted"
        ):
            raise ValueError(
                f"evaluation protocol {protocol.name} chooses keypoints by name, but the data set's metainfo has no "
                "'keypoint_set': give PoseErrorMetric(keypoint_set=...) the name of its order"
            )
        protocol.check_annotation(meta.get("annotation"))
        self.names_from_data = tuple(meta["actions"]) if "actions" in meta else None
        self.actions = list(self.names_from_data or ())
        self.sequences = tuple(meta["sequences"]) if "sequences" in meta else None
        if protocol.block_list and self.sequences is None:
            raise ValueError("evaluation option block_list: the data set's metainfo has no 'sequences' to choose from")
        self.blocked = np.array(protocol.blocked(self.sequences or ()), bool)
        self.masked_columns = _columns(masked_keypoints, self.keypoints)

    def read(self, samples: Sequence[Mapping]) -> PoseBatch:
        """All samples, at least one, as one batch; what the protocol does not choose is marked as not counted."""
        batches = [self._read_one(sample, number) for number, sample in enumerate(samples)]
        return self._chosen(batches[0] if len(batches) == 1 else _joined(batches))

    def _read_one(self, sample: Mapping, number: int) -> PoseBatch:
        ground_truth, prediction = sample["gt_instances"], sample["pred_instances"]
        gt, pred = _array(ground_truth["lifting_target"]), _array(prediction["keypoints"])
        if pred.ndim == 4 and gt.ndim == 3 and len(pred) == 1:
            pred = pred[0]  # mmpose's heads
        if pred.shape != gt.shape or gt.ndim not in (3, 4) or gt.shape[-1] != 3:
            raise ValueError(
                f"pred_instances.keypoints {pred.shape} and gt_instances.lifting_target {gt.shape} must both have the "
                "shape (N, K, 3) or (N, T, K, 3)"
            )
        if self.keypoints is not None and gt.shape[-2] != len(self.keypoints):
            raise ValueError(
                f"gt_instances.lifting_target has {gt.shape[-2]} keypoints, the data set's {self.keypoints.name} "
                f"{len(self.keypoints)}"
            )
        if gt.ndim == 3:
            pred, gt = pred[:, None], gt[:, None]
        shape = gt.shape[:-1]

        def field(name: str, kind: type, per_keypoint: bool = False) -> np.ndarray | None:
            # mmpose packs what it does not know of into a sample's metainfo, where a config asks for it.
            value = sample.get(name) if ground_truth.get(name) is None and name in NUMBERED else ground_truth.get(name)
            if value is None:
                return None
            array = _array(value).astype(kind, copy=False)
            wanted = shape if per_keypoint else shape[:2]
            if array.size == np.prod(wanted):
                return array.reshape(wanted)
            if name in ("sequence", "action") and array.shape == shape[:1]:
                return np.repeat(array[:, None], shape[1], 1)
            raise ValueError(f"gt_instances.{name} has shape {array.shape}; it must fit lifting_target {gt.shape}")

        counted = field("lifting_target_visible", bool, per_keypoint=True)
        counted = np.ones(shape, bool) if counted is None else counted
        if not np.isfinite(gt[counted]).all():
            bad = int((~np.isfinite(gt) & counted[..., None]).any((2, 3)).sum())
            raise ValueError(f"{bad} of {shape[0] * shape[1]} ground truth poses are not finite (NaN or infinite).")
        window, sequence, frame = ground_truth.get("window"), field("sequence", np.int64), field("frame", np.int64)
        return PoseBatch(
            pred=pred,
            gt=gt,
            counted=counted,
            masked=self._masked(field("masked", bool, per_keypoint=True), shape),
            action=self._action(field("action", np.int64), sample, shape[:2]),
            sequence=self._sequence(sequence),
            # Without its sequence a frame's number says nothing.
            frame=None if sequence is None else frame,
            window=None if window is None else _array(window).reshape(-1),
            sample=np.full(shape[0], number),
        )

    def _masked(self, given: np.ndarray | None, shape: tuple[int, ...]) -> np.ndarray | None:
        if self.masked_columns is None:
            return given
        if given is not None:
            raise ValueError("the samples say in gt_instances.masked what was masked: leave masked_keypoints out")
        return np.broadcast_to(self.masked_columns, shape)

    def _action(self, ids: np.ndarray | None, sample: Mapping, shape: tuple[int, int]) -> np.ndarray:
        if ids is None:
            path = sample.get("target_img_path")
            name = UNNAMED if path is None else _action_of(path)
            if name not in self.actions:
                self.actions.append(name)
            return np.full(shape, self.actions.index(name))
        if self.names_from_data is None:
            raise KeyError("PoseErrorMetric needs the names of the actions: the data set's metainfo has no 'actions'.")
        return _checked(ids, len(self.names_from_data), "action")

    def _sequence(self, ids: np.ndarray | None) -> np.ndarray | None:
        if ids is None:
            if self.protocol.block_list:
                raise ValueError("evaluation option block_list: the samples have no gt_instances.sequence")
            return None
        if self.sequences is None:
            raise KeyError("gt_instances.sequence: the data set's metainfo has no 'sequences' to name them.")
        return _checked(ids, len(self.sequences), "sequence")

    def _chosen(self, batch: PoseBatch) -> PoseBatch:
        protocol = self.protocol
        if protocol.frames == "target" and batch.pred.shape[1] > 1:
            middle = slice(batch.pred.shape[1] // 2, batch.pred.shape[1] // 2 + 1)
            arrays = {field.name: getattr(batch, field.name) for field in fields(batch)}
            cut = {
                name: a[:, middle] for name, a in arrays.items() if a is not None and name not in ("window", "sample")
            }
            batch = replace(batch, **cut)
        counted = batch.counted
        if protocol.root_alignment != "as_predicted" and (counted.any(-1) > counted[..., self.keypoints.root]).any():
            raise ValueError(
                f"gt_instances.lifting_target_visible marks the root of a pose as invisible, but protocol "
                f"{protocol.name} aligns poses by their root: say root_alignment='as_predicted'"
            )
        if self.keypoints is not None:
            counted = counted & np.array(protocol.counts(self.keypoints))
        if self.blocked.any():
            counted = counted & ~self.blocked[batch.sequence][..., None]
        if protocol.frame_step > 1:
            if batch.frame is None:
                raise ValueError("evaluation option frame_step: the samples have no gt_instances.sequence and frame")
            counted = counted & (batch.frame % protocol.frame_step == 0)[..., None]
        pred, gt = batch.pred, batch.gt
        if protocol.root_alignment == "subtracted":
            root = slice(self.keypoints.root, self.keypoints.root + 1)
            pred, gt = pred - pred[..., root, :], gt - gt[..., root, :]
        elif protocol.root_alignment == "zeroed":
            pred, gt = pred.copy(), gt.copy()
            pred[..., self.keypoints.root, :] = gt[..., self.keypoints.root, :] = 0
        return replace(batch, pred=pred, gt=gt, counted=counted)


def _columns(names: Sequence[str], keypoints: KeypointSet | None) -> np.ndarray | None:
    """(K,) True for the named keypoints and limbs; None where no names are given."""
    if not names:
        return None
    names = [names] if isinstance(names, str) else list(names)
    if keypoints is None:
        raise ValueError("masked_keypoints: the data set does not name its keypoints; give keypoint_set, too")
    columns = np.zeros(len(keypoints), bool)
    for name in names:
        if name not in keypoints.names and name not in keypoints.limbs:
            raise ValueError(
                f"masked_keypoints: {keypoints.name} has no keypoint or limb {name!r}; it has "
                f"{', '.join((*keypoints.names, *keypoints.limbs))}"
            )
        columns[list(keypoints.limbs.get(name, ())) or keypoints.index(name)] = True
    return columns


def _checked(ids: np.ndarray, number: int, name: str) -> np.ndarray:
    if ids.size and not 0 <= ids.min() <= ids.max() < number:
        raise ValueError(f"gt_instances.{name} holds {ids.min()} to {ids.max()}; the data set names {number}")
    return ids


def _joined(batches: Sequence[PoseBatch]) -> PoseBatch:
    """One batch of those of many samples, which must have the same fields and number of frames."""
    columns = {field.name: [getattr(batch, field.name) for batch in batches] for field in fields(PoseBatch)}
    joined = {}
    for name, parts in columns.items():
        if len({None if part is None else part.shape[1:] for part in parts}) > 1:
            raise ValueError(f"the data samples of a batch differ in the shape of '{name}', or not all have it")
        joined[name] = None if parts[0] is None else np.concatenate(parts)
    return PoseBatch(**joined)


def _array(value: Any) -> np.ndarray:
    """Tensor of any device and precision, or array, as a numpy array."""
    if not hasattr(value, "detach"):
        return np.asarray(value)
    value = value.detach().cpu()
    # numpy has no bfloat16, which automatic mixed precision may give.
    return (value.float() if value.is_floating_point() and value.element_size() < 4 else value).numpy()


def _action_of(target_img_path: str | Sequence[str]) -> str:
    """Action in a Human3.6M image name, `S9_Walking_1.54138969_000001.jpg` -> `Walking`; as in mmpose's MPJPE."""
    path = target_img_path if isinstance(target_img_path, str) else target_img_path[0]
    return PurePath(path).name.split("_", 1)[-1].split(".", 1)[0].split("_")[0]
