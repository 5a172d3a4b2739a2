"""The authors' state dicts in, ours out: sizes, names and the few values that change."""

import math
import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from ..checkpoints.model_description import FIELD, describe
from ..pose.keypoints import get_keypoint_set
from ..readers.archives import npz_fields, read_npz
from .names import Sizes, count_layers, make, never_used, rules

RELEASED_STRIDES = {9: (1, 3, 3), 27: (3, 3, 3), 81: (3, 3, 3, 3), 243: (3, 3, 3, 3, 3), 351: (3, 9, 13)}
# The key that only this kind has; pre-training and completion share theirs and differ in the decoders' depth.
_KIND_KEYS = {"lift": "fcn_1.1.weight", "pretrain": "temporal_mask_token", "refine": "post_refine.0.weight"}


def load_official(path: str | Path) -> dict[str, torch.Tensor]:
    """Read a state dict of the authors from a .pth or a fixture .npz (entries ``state/*``).

    A ``module.`` prefix and a surrounding ``state_dict`` or ``model`` entry are taken off.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is no checkpoint, or holds no tensors.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file")
    try:
        if path.suffix == ".npz":
            arrays = read_npz(path, [name for name in npz_fields(path) if name.startswith("state/")])
            state = {name.removeprefix("state/"): torch.from_numpy(array.copy()) for name, array in arrays.items()}
        else:
            state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # arbitrary bytes lead an unpickler to any error
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{path}: not a checkpoint that can be read with weights_only ({reason})") from None
    for wrapper in ("state_dict", "model"):
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not state or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise ValueError(f"{path}: not a state dict (a mapping of names to tensors, or `state/*` arrays in an .npz)")
    return {str(name).removeprefix("module."): value for name, value in state.items()}


def infer_sizes(state: Mapping[str, torch.Tensor], heads: int = 8, strides: tuple[int, ...] | None = None) -> Sizes:
    """Tell kind and sizes of an official model from its weights.

    A lifting model may hold the entries of a refine module as well. ``strides`` None stands for those released for the
    window length. Completion and pre-training have the same
    names; as released, completion has decoders of two or more layers.

    Raises:
        ValueError: The weights are of no known kind, or heads or strides do not fit them.
    """
    kind = next((kind for kind, key in _KIND_KEYS.items() if key in state), None)
    if kind is None:
        raise ValueError(
            f"unknown keys {_listing(state)}: none of {', '.join(_KIND_KEYS.values())} is there, so this is neither "
            "a pre-training, completion, lifting nor refine model of the authors"
        )
    try:
        if kind == "refine":
            return Sizes(kind, state["post_refine.0.weight"].shape[1] // 6, refine_channels=_refine_channels(state))
        _, frames, channels = state["shared_layers_temporal.pos_embedding"].shape
        keypoints = state["encoder2d.fc_1.weight"].shape[1] // 2
        inner = state["shared_layers_temporal.model.layers.0.feed_forward.w_1.weight"].shape[0]
    except KeyError as error:
        raise ValueError(f"missing keys {error.args[0]}: the sizes cannot be told without") from None
    except (ValueError, IndexError):
        raise ValueError(f"{kind} model: its weights have not the numbers of axes of the release") from None
    depth = count_layers(state, "shared_layers_temporal.model.layers")
    decoder = "Transformer_reduce" if kind == "lift" else "decoder2d"
    decoder_depth = count_layers(state, f"{decoder}.model.layers")
    if kind == "lift":
        strides = _fitting_strides(frames, decoder_depth, strides)
    elif decoder_depth > 1:
        kind = "completion"
    if heads < 1 or channels % heads:
        raise ValueError(f"--heads {heads} does not divide the {channels} channels of these weights")
    sizes = Sizes(kind, keypoints, frames, channels, inner, depth, decoder_depth, heads, strides or ())
    return replace(sizes, refine_channels=_refine_channels(state)) if kind == "lift" else sizes


def convert_state(state: Mapping[str, torch.Tensor], sizes: Sizes) -> dict[str, torch.Tensor]:
    """Rename and reshape official weights into ours.

    LayerNorm: the release divides by the unbiased deviation, nn.LayerNorm by the biased one, so the factor
    sqrt((n - 1) / n) goes into the weight.

    Raises:
        ValueError: Keys are missing or unknown; both are listed.
    """
    table = rules(sizes)
    known = {name for rule in table for name in rule.official}
    missing = sorted(known - state.keys())
    unknown = sorted(state.keys() - known - set(never_used(state)))
    if missing or unknown:
        found = (("missing", missing), ("unknown", unknown))
        parts = [f"{word} keys {_listing(names)}" for word, names in found if names]
        raise ValueError(f"{sizes.kind} model: {'; '.join(parts)}")
    return {rule.ours: make(rule.how, [state[name] for name in rule.official]) for rule in table}


def model_config(sizes: Sizes) -> dict[str, Any]:
    """Config that builds our model for converted weights, with the behaviour and the loss weights of the release."""
    if sizes.kind == "refine":
        return dict(type="RefineModule", num_keypoints=sizes.keypoints, hidden_channels=sizes.refine_channels)
    width = dict(
        num_frames=sizes.frames,
        num_keypoints=sizes.keypoints,
        channels=sizes.channels,
        hidden_channels=sizes.hidden_channels,
        num_heads=sizes.heads,
    )
    backbone = dict(type="MPMBackbone", **width, depth=sizes.depth)
    if sizes.kind == "lift":
        head = dict(type="LiftingHead", **width, strides=list(sizes.strides), align="first")
        if sizes.refine_channels:
            head |= dict(type="RefinedLiftingHead", refine_channels=sizes.refine_channels)
        backbone |= dict(inputs=["2d"], mask_tokens=False, mlp_drop=0.2)
        return dict(type="PoseLifter", backbone=backbone, head=head)
    # The released BatchNorm also sees masked frames in training.
    backbone |= dict(inputs=["2d", "3d"], mask_tokens=True, mlp_drop=0.1, encode_masked_frames=True)
    head = dict(**width, depth=sizes.decoder_depth, outputs=["2d", "3d"])
    if sizes.kind == "completion":
        return dict(type="PoseLifter", backbone=backbone, head=dict(type="CompletionHead", loss_3d_weight=2.0, **head))
    head = dict(type="MaskedPoseHead", **head)
    return dict(type="MaskedPoseEstimator", backbone=backbone, head=head, loss_2d_weight=5.0, loss_3d_weight=2.0)


def converted_meta(sizes: Sizes, fps: float, frame_step: int, keypoint_set: str | None = None) -> dict[str, Any]:
    """What a converted checkpoint says of its model in ``meta``; a refine module alone is no model to run.

    fps, frame_step: of the windows that it was trained on; keypoint_set: by default that of so many keypoints. Raises
    ValueError for a set of another number.
    """
    config = model_config(sizes)
    if sizes.kind == "refine":
        return dict(kind=sizes.kind, model=config)
    keypoint_set = keypoint_set or {16: "common_16"}.get(sizes.keypoints, "h36m_17")
    if len(get_keypoint_set(keypoint_set)) != sizes.keypoints:
        raise ValueError(f"these weights have {sizes.keypoints} keypoints, {keypoint_set} has others; --keypoint-set")
    said = dict(keypoint_set=keypoint_set, fps=fps, frame_step=frame_step, window=sizes.frames)
    return {"kind": sizes.kind, FIELD: describe(config, said).to_meta()}


def save_atomically(checkpoint: dict, path: str | Path) -> None:
    """Write a checkpoint so that ``path`` either holds all of it or is untouched."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            torch.save(checkpoint, file)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _fitting_strides(frames: int, layers: int, strides: tuple[int, ...] | None) -> tuple[int, ...]:
    if strides is None and frames not in RELEASED_STRIDES:
        raise ValueError(f"no strides were released for windows of {frames} frames: give --strides, {layers} numbers")
    strides = RELEASED_STRIDES[frames] if strides is None else tuple(strides)
    if len(strides) != layers or math.prod(strides) != frames:
        raise ValueError(
            f"strides {','.join(map(str, strides))} do not fit: the decoder has {layers} layers and the window "
            f"{frames} frames, so --strides needs {layers} numbers whose product is {frames}"
        )
    return strides


def _refine_channels(state: Mapping[str, torch.Tensor]) -> int:
    return len(state["post_refine.0.weight"]) if "post_refine.0.weight" in state else 0


def _listing(names: Mapping | list, most: int = 8) -> str:
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
