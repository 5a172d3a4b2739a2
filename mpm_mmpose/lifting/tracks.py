"""People over time: what a 2D detector saw of one person, and the 3D that was lifted from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from ..limits import HIGHEST_FPS, LARGEST_IMAGE, LOWEST_FPS, is_fps
from ..pose.consistency import misfit
from ..pose.keypoints import get_keypoint_set, remap


@dataclass(frozen=True)
class Track2D:
    """One person seen by one camera; N frames in which there may be anything between nothing and the whole body.

    person: an id. times (N,) float64 s, increasing; frames without a detection are left out, or have scores of 0.
    keypoints (N, K, 2) float32 px and scores (N, K) float32, 0 = not found, as ``keypoint_set`` orders them; where the
    score is 0 the position may be NaN. width, height px and fps of the video. intrinsics (9,) px as in
    :mod:`mpm_mmpose.pose.geometry`, None where unknown. Raises ValueError (person, field, fix) for what does not fit.
    """

    person: str
    times: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    keypoint_set: str
    width: int
    height: int
    fps: float
    intrinsics: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name, dtype in dict(times=np.float64, keypoints=np.float32, scores=np.float32).items():
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype))
        if self.intrinsics is not None:
            object.__setattr__(self, "intrinsics", np.ascontiguousarray(self.intrinsics, np.float32))
        self._check_shapes()
        self._check_values()

    def __len__(self) -> int:
        return len(self.times)

    def _check_shapes(self) -> None:
        try:
            number = len(get_keypoint_set(self.keypoint_set))
        except KeyError as error:
            raise ValueError(f"person {self.person}: {error.args[0]}") from None
        if self.times.ndim != 1 or not len(self.times):
            raise ValueError(f"person {self.person}: there is no frame; leave out a person who is never seen")
        frames = len(self.times)
        shapes = dict(keypoints=(frames, number, 2), scores=(frames, number))
        shapes |= {} if self.intrinsics is None else dict(intrinsics=(9,))
        for name, shape in shapes.items():
            if (given := getattr(self, name).shape) != shape:
                raise ValueError(
                    f"person {self.person}: {name} has shape {given}, but {frames} frames of {self.keypoint_set} have "
                    f"{shape}; name the keypoint set that these keypoints are of"
                )

    def _check_values(self) -> None:
        if not (np.isfinite(self.times).all() and (np.diff(self.times) > 0).all()):
            raise ValueError(f"person {self.person}: times must be finite and increase; sort the frames, each once")
        if not (0 < self.width <= LARGEST_IMAGE and 0 < self.height <= LARGEST_IMAGE and is_fps(self.fps)):
            raise ValueError(
                f"person {self.person}: width {self.width}, height {self.height}, fps {self.fps}; give the size of the "
                f"video in px, above 0, and its frames a second, from {LOWEST_FPS:g} to {HIGHEST_FPS:g}"
            )
        unknown = ~np.isfinite(self.scores) | (~np.isfinite(self.keypoints).all(-1) & (self.scores != 0))
        if unknown.any():
            frame, keypoint = np.argwhere(unknown)[0]
            name = get_keypoint_set(self.keypoint_set).names[keypoint]
            raise ValueError(
                f"person {self.person}: {name} of frame {frame} is at {self.keypoints[frame, keypoint]} with score "
                f"{self.scores[frame, keypoint]}; where a keypoint was not found give score 0"
            )


@dataclass(frozen=True)
class Track3D:
    """The same person at the same times.

    keypoints_3d (N, K', 3) float32 root-relative m, camera axes, as ``keypoint_set`` orders them; NaN in frames that
    are further from any sight of the person than the model looks. masked (N, K') bool, True = the model was not shown
    it. spread (N, K') float32 m: how far the keypoint moves when more is masked, a measure of uncertainty. trajectory
    (N, 3) float32 m: the root in camera space. misfit (N,) float32: how far each frame's 3D is from its 2D, see
    :func:`~mpm_mmpose.pose.consistency.misfit`. trajectory_spread (N,) float32 m: one standard deviation of its depth.
    ignored: indices of the keypoints that the model never looks at.
    """

    track: Track2D
    keypoints_3d: np.ndarray
    keypoint_set: str
    masked: np.ndarray
    spread: np.ndarray | None = None
    trajectory: np.ndarray | None = None
    misfit: np.ndarray | None = None
    trajectory_spread: np.ndarray | None = None
    ignored: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.track)


def visible_keypoints(
    track: Track2D, keypoint_set: str, threshold: float, approximate: bool | Collection[str] = True
) -> tuple[np.ndarray, np.ndarray]:
    """Keypoints (N, K', 2) float32 px in another keypoint set, and (N, K') bool, which of them are usable.

    Not those that ``keypoint_set`` has and the track's has not, that score below ``threshold`` or 0, or that are
    outside the image; nor what is put together from such. They are 0. approximate: as of
    :func:`~mpm_mmpose.pose.keypoints.remap`.
    """
    inside = ((track.keypoints >= 0) & (track.keypoints <= (track.width, track.height))).all(-1)
    seen = inside & (track.scores > 0) & (track.scores >= threshold)
    keypoints, seen = remap(track.keypoint_set, keypoint_set, approximate)(
        np.where(seen[..., None], track.keypoints, 0), seen
    )
    return np.where(seen[..., None], keypoints, 0).astype(np.float32), seen


def pose_misfit(lifted: Track3D, threshold: float = 0.0) -> np.ndarray:
    """(N,) :func:`~mpm_mmpose.pose.consistency.misfit` of each frame's 3D from the 2D that it came from."""
    keypoints, seen = visible_keypoints(lifted.track, lifted.keypoint_set, threshold)
    return misfit(lifted.keypoints_3d, keypoints, seen & ~lifted.masked)


def find_stretches(times: np.ndarray, seen: np.ndarray, longest_gap: float, reach: float) -> list[slice]:
    """Rows of a track that belong together: from sight to sight at most ``longest_gap`` s, and ``reach`` s beyond.

    times (N,) s; seen (N,) bool, the frames in which anything of the person is seen.
    """
    sights = times[seen]
    if not len(sights):
        return []
    parts = np.split(sights, np.flatnonzero(np.diff(sights) > longest_gap) + 1)
    first = np.searchsorted(times, [part[0] - reach for part in parts])
    end = np.searchsorted(times, [part[-1] + reach for part in parts], side="right")
    return [slice(int(low), int(high)) for low, high in zip(first, end, strict=True)]
