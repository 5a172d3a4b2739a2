"""Which frames and keypoints the model does not get to see (paper, section 3.2).

True = masked. Every sample of a batch has its own mask, and all samples mask the same number of frames, so that the
visible ones can be gathered into one dense tensor. A mask is drawn on the generator's device with one vectorised draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Masks(NamedTuple):
    """Masked frames and keypoints of a batch; None means that nothing of that kind is masked.

    frame_mask: (B, T) bool; keypoint_mask: (B, T, K) bool; num_visible: visible frames per sample, a Python int so that
    nobody has to ask the device for it.
    """

    frame_mask: Tensor | None
    keypoint_mask: Tensor | None
    num_visible: int


def stream_generator(device: torch.device | str, seed: int, rank: int = 0, stream: int = 0) -> torch.Generator:
    """Random generator on a device, of an own stream for every (seed, rank, stream); touches no global generator.

    The streams of two devices differ, so the same masks come back on the same kind of device only.
    """
    state = np.random.SeedSequence(seed, spawn_key=(rank, stream)).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(state[0]))


def spatio_temporal_masks(
    batch: int,
    frames: int,
    keypoints: int,
    *,
    generator: torch.Generator,
    masked_keypoints: int = 5,
    frame_ratio: float = 0.6,
    total_ratio: float | None = None,
) -> Masks:
    """`int(frames * frame_ratio)` masked frames and, drawn anew in every frame, `masked_keypoints` masked keypoints.

    With `total_ratio` the number of masked frames is the one whose total of masked cells comes nearest to it.
    Raises ValueError where a ratio is outside [0, 1) or nothing would stay visible. Source: paper, sections 3.2 and 4.2
    (5 of 17 keypoints, 60 % of the frames), and the released `MaskGen`, which shares one mask in a batch.
    """
    _check_count("masked_keypoints", masked_keypoints, keypoints)
    if total_ratio is None:
        masked_frames = _masked_frames(frames, frame_ratio)
    else:
        masked_frames = round(frames * frame_ratio_for(total_ratio, masked_keypoints, keypoints))
        _check_count("masked frames", masked_frames, frames)
    # One draw serves both: column 0 orders the frames, the others order the keypoints of their frame.
    draw = _uniform((batch, frames, keypoints + 1), generator)
    return Masks(
        frame_mask=_mask_largest(draw[..., 0], masked_frames),
        keypoint_mask=_mask_largest(draw[..., 1:], masked_keypoints),
        num_visible=frames - masked_frames,
    )


def temporal_masks(batch: int, frames: int, keypoints: int, *, generator: torch.Generator, ratio: float) -> Masks:
    """`int(frames * ratio)` masked frames, all keypoints of the others visible.

    Raises ValueError where the ratio is outside [0, 1). Source: paper, appendix B (figure B).
    """
    masked_frames = _masked_frames(frames, ratio)
    draw = _uniform((batch, frames), generator)
    return Masks(_mask_largest(draw, masked_frames), None, frames - masked_frames)


def spatial_masks(batch: int, frames: int, keypoints: int, *, generator: torch.Generator, ratio: float) -> Masks:
    """`round(keypoints * ratio)` keypoints masked in all frames (a tube), no frame masked.

    keypoint_mask is an expanded view: equal in all frames. Raises ValueError where the ratio is outside [0, 1) or all
    keypoints would be masked. Source: paper, appendix B (figure B).
    """
    _check_ratio("ratio", ratio)
    masked = round(keypoints * ratio)
    _check_count("masked keypoints", masked, keypoints)
    tube = _mask_largest(_uniform((batch, keypoints), generator), masked)
    return Masks(None, tube[:, None].expand(batch, frames, keypoints), frames)


def tube_masks(
    batch: int,
    frames: int,
    keypoints: int,
    *,
    generator: torch.Generator,
    patterns: Sequence[Sequence[int] | int],
    stretch: tuple[int, int] | None = None,
) -> Masks:
    """The keypoints of one pattern per sample, masked in all frames or in one stretch of them; no frame is dropped.

    A pattern is indices of keypoints, or a number of random ones, 0 for none; each is as likely as the others.
    `stretch` is the shortest and the longest number of frames, placed so that at least one of them is in the window.
    Raises ValueError where a pattern names no keypoint or masks everything in all frames, or where all are 0. Source:
    paper, section 3.3, tables 3 and 4, and the released `TubeMaskGen`.
    """
    # Of P patterns: fixed (P, K) bool, numbers (P, 1).
    fixed = torch.zeros(len(patterns), keypoints, dtype=torch.bool)
    numbers = torch.zeros(len(patterns), 1)
    for row, pattern in enumerate(patterns):
        number = pattern if isinstance(pattern, int) else len(set(pattern))
        if not (pattern == 0 or 0 < number < keypoints + (stretch is not None)):
            raise ValueError(
                f"patterns: {pattern!r} masks {number} of {keypoints} keypoints; mask 1 or more, and not all of them "
                "in all frames; 0 leaves a sample whole"
            )
        if isinstance(pattern, int):
            numbers[row] = number
        else:
            fixed[row, list(pattern)] = True
    if all(pattern == 0 for pattern in patterns):
        raise ValueError(f"patterns: {list(patterns)} masks nothing in any sample; leave masking out")
    device = generator.device
    fixed, numbers = fixed.to(device, non_blocking=True), numbers.to(device, non_blocking=True)
    # draw (B, K + 1), row (B,) of a sample's pattern, place (B, K), masked (B, T, K).
    draw = _uniform((batch, keypoints + 1), generator)
    row = (draw[:, 0] * len(patterns)).long().clamp_(max=len(patterns) - 1)
    place = draw[:, 1:].argsort(-1).argsort(-1)  # a random order of the keypoints
    masked = (fixed[row] | (place < numbers[row]))[:, None].expand(batch, frames, keypoints)
    if stretch is not None:
        masked = masked & random_stretches(batch, frames, 1, stretch, generator)
    return Masks(None, masked, frames)


def random_stretches(
    batch: int, frames: int, number: int, lengths: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """(B, T, number) bool, each True in one stretch of so many frames, both ends included, anywhere it is seen at all.

    A stretch may begin before the window and end after it. Raises ValueError unless 1 <= shortest <= longest.
    """
    shortest, longest = lengths
    if not 1 <= shortest <= longest:
        raise ValueError(f"stretches of {lengths} frames; give 1 <= shortest <= longest")
    draw = _uniform((2, batch, 1, number), generator)
    length = (shortest + (longest - shortest + 1) * draw[0]).floor()
    # From the last of the stretch on the first frame of the window, to its first on the window's last frame.
    first = ((frames + length - 1) * draw[1]).floor() - (length - 1)
    frame = torch.arange(frames, device=generator.device)[:, None]
    return (frame >= first) & (frame < first + length)


MASK_STRATEGIES: dict[str, Callable[..., Masks]] = {
    "spatio_temporal": spatio_temporal_masks,
    "temporal": temporal_masks,
    "spatial": spatial_masks,
    "tube": tube_masks,
}
"""Strategies by the name a config gives them."""


def masked_cells(masks: Masks, keypoints: int) -> Tensor | None:
    """Masked cells (B, T, K) bool: keypoints of masked frames and those masked alone; None where nothing is masked."""
    if masks.frame_mask is None:
        return masks.keypoint_mask
    frames = masks.frame_mask[..., None].expand(*masks.frame_mask.shape, keypoints)
    return frames if masks.keypoint_mask is None else frames | masks.keypoint_mask


def join_masks(parts: Sequence[Masks], device: torch.device | str) -> Masks:
    """Masks of several batches, drawn by one strategy, as those of one batch on a device."""

    def join(masks: Sequence[Tensor | None]) -> Tensor | None:
        return None if masks[0] is None else torch.cat(masks).to(device, non_blocking=True)

    frame_masks, keypoint_masks, visible = zip(*parts, strict=True)
    return Masks(join(frame_masks), join(keypoint_masks), visible[0])


def frame_ratio_for(total_ratio: float, masked_keypoints: int, keypoints: int) -> float:
    """Share of the frames to mask so that `total_ratio` of all cells is masked: 0.6 for 0.718 and 5 of 17.

    Raises ValueError where the masked keypoints alone exceed it.
    """
    _check_ratio("total_ratio", total_ratio)
    _check_count("masked_keypoints", masked_keypoints, keypoints)
    ratio = 1 - (1 - total_ratio) / (1 - masked_keypoints / keypoints)
    if ratio < -1e-9:
        raise ValueError(
            f"total_ratio={total_ratio} cannot be reached: {masked_keypoints} of {keypoints} keypoints in each frame "
            f"are already {masked_keypoints / keypoints:.3f}. Ask for fewer masked_keypoints or a larger total_ratio."
        )
    return max(ratio, 0.0)


def _uniform(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator, device=generator.device, dtype=torch.float32)


def _mask_largest(draw: Tensor, number: int) -> Tensor:
    """True at the `number` largest draws along the last axis: exactly that many, even where two draws are equal."""
    mask = torch.zeros(draw.shape, dtype=torch.bool, device=draw.device)
    return mask.scatter_(-1, draw.topk(number, dim=-1, sorted=False).indices, True)


def _masked_frames(frames: int, ratio: float) -> int:
    _check_ratio("frame ratio", ratio)
    masked = int(frames * ratio + 1e-9)  # 0.29 * 100 is 28.999999999999996
    _check_count("masked frames", masked, frames)
    return masked


def _check_ratio(name: str, ratio: float) -> None:
    if not 0 <= ratio < 1:
        raise ValueError(f"{name} is {ratio}, but must be in [0, 1): at 1 nothing would stay visible.")


def _check_count(name: str, masked: int, total: int) -> None:
    if not 0 <= masked < total:
        raise ValueError(f"{name} is {masked} of {total}, but must be in 0..{total - 1}: something must stay visible.")
