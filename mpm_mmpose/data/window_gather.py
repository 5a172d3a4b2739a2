"""Windows of frames gathered from a memory-mapped array, in runs as long as lie together there."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

CACHED_FRAMES = 4000  # 2D of so many frames, half a MB, stays in a core's cache
REPEATED = 0.12  # above this share of frames outside the clips, single frames are gathered faster than whole windows
ROW = 100  # points; see _in_rows


class WindowPlan(NamedTuple):
    """Where the frames of B windows are read; the same for all arrays of a store.

    A window is read in runs of ``run`` frames: whole at frame step 1, frame by frame otherwise. index: (B, window //
    run) integers, first frame of each run. A whole run that leaves its clip has frames of another clip in it: repeated:
    (E,) int64, these positions b * window + t, and repeats: (E,) int64, the positions of what they repeat.
    """

    run: int
    index: np.ndarray
    repeated: np.ndarray
    repeats: np.ndarray


def plan_windows(
    first: np.ndarray, low: np.ndarray, high: np.ndarray, window: int, frame_step: int, num_frames: int
) -> WindowPlan:
    """Plan of windows of ``window`` frames, ``frame_step`` apart, that start at ``first`` (B,) int64, be it outside.

    low, high: (B,) int64, first and last frame of the clip that a window is of; they stand for what is before and after
    them. Every window has a frame in its clip. num_frames: of the array that will be read.
    """
    last = first + (window - 1) * frame_step
    steps = np.arange(window) * frame_step
    edge = np.flatnonzero((first < low) | (last > high))
    clipped = np.clip(first[edge, None] + steps, low[edge, None], high[edge, None])
    outside = np.clip(low - first, 0, window).sum() + np.clip(last - high, 0, window).sum()
    if frame_step > 1 or num_frames < window or outside > REPEATED * len(first) * window:
        # int32 is written in half the time; no store has 2 ** 31 frames.
        frames = first.astype(np.int32)[:, None] + steps.astype(np.int32)
        frames[edge] = clipped
        return WindowPlan(1, frames, *np.empty((2, 0), dtype=np.int64))
    start = np.clip(first, 0, num_frames - window)
    clipped -= start[edge, None]
    row, step = np.nonzero(clipped != steps)
    return WindowPlan(window, start[:, None], edge[row] * window + step, edge[row] * window + clipped[row, step])


def gather_windows(
    frames: np.ndarray,
    plan: WindowPlan,
    out: np.ndarray,
    scale: np.ndarray | None = None,
    offset: np.ndarray | None = None,
) -> None:
    """Write ``offset + scale * frames`` of the planned windows to ``out`` (B, T, K, C) float32, C-contiguous.

    frames: (N, K, C) float32, C-contiguous, may be a read-only memory map. scale: (B,) and offset: (B, C), float32,
    both or none. What was gathered is scaled a few windows at a time, while the processor's cache holds it.
    """
    source, target, index = _tensor(frames), torch.from_numpy(out), torch.from_numpy(plan.index)
    size = math.prod(frames.shape[1:])
    # Rows that overlap: the run from each frame on. index_select copies each run in one piece.
    runs = source.as_strided((len(source) - plan.run + 1, plan.run * size), (size, 1))
    runs_out = target.view(*index.shape, plan.run * size)
    if scale is None:
        torch.index_select(runs, 0, index.flatten(), out=runs_out.flatten(0, 1))
    else:
        numbers, factors, summands = _in_rows(target, torch.from_numpy(scale), torch.from_numpy(offset))
        few = max(1, CACHED_FRAMES // out.shape[1])
        for start in range(0, len(out), few):
            group = slice(start, start + few)
            torch.index_select(runs, 0, index[group].flatten(), out=runs_out[group].flatten(0, 1))
            torch.addcmul(summands[group], numbers[group], factors[group], out=numbers[group])
    flat = out.reshape(-1, size)
    flat[plan.repeated] = flat.take(plan.repeats, axis=0)


def _in_rows(poses: Tensor, scale: Tensor, offset: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Poses as (B, rows, numbers), scale as (B, 1, 1), offset as (B, 1, numbers).

    The shorter the rows, the less there is of the offsets; the longer, the fewer loops there are to start.
    """
    points = poses.shape[1] * poses.shape[2]
    row = next(row for row in range(min(ROW, points), points + 1) if points % row == 0)
    offset = offset[:, None].expand(-1, row, -1).flatten(1)
    return poses.view(len(poses), points // row, offset.shape[1]), scale[:, None, None], offset[:, None]


class _Writable:
    """A read-only array as torch takes it without a warning; nobody writes to it here."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array  # holds the memory
        self.__array_interface__ = array.__array_interface__ | dict(data=(array.ctypes.data, False))


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.asarray(_Writable(array)))
