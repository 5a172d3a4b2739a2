"""How every entry of our state dicts follows from the authors' (names of section 6 of the reference notes)."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch

_NORM_NEVER_APPLIED = ("shared_layers_temporal", "decoder2d", "decoder3d", "Transformer_reduce")


@dataclass(frozen=True)
class Sizes:
    """What the weights say about the model that they belong to; heads and strides are the caller's."""

    kind: str
    keypoints: int
    frames: int = 0
    channels: int = 0
    hidden_channels: int = 0
    depth: int = 0
    decoder_depth: int = 0
    heads: int = 8
    strides: tuple[int, ...] = ()
    refine_channels: int = 0


class Rule(NamedTuple):
    """One entry of our state dict: its name, the official entries it is made of, and how."""

    ours: str
    official: tuple[str, ...]
    how: str = "copy"  # copy | flat (1x1 convolution to linear) | fold (deviation factor) | cat | vector


def rules(sizes: Sizes) -> list[Rule]:
    """List how every entry of our state dict follows from the official one."""
    if sizes.kind == "refine":
        return _refine("")
    lift = sizes.kind == "lift"
    found: list[Rule] = []
    for side in ("2d",) if lift else ("2d", "3d"):
        found += _affine(f"backbone.encoder_{side}.linear", f"encoder{side}.fc_1", flat=True)
        found += _batch_norm(f"backbone.encoder_{side}.norm", f"encoder{side}.bn_1")
        if not lift:
            found.append(Rule(f"backbone.keypoint_token_{side}", (f"spatial_mask_token{side}",), "vector"))
    for i in "12":
        block, official = "backbone.spatial.blocks.0", "shared_layers_spatial.layers.0"
        found += _affine(f"{block}.linear{i}", f"{official}.w{i}", flat=True)
        found += _batch_norm(f"{block}.norm{i}", f"{official}.batch_norm{i}")
    found += _affine("backbone.spatial.out", "shared_layers_spatial.fc_2", flat=True)
    found.append(Rule("backbone.temporal.position", ("shared_layers_temporal.pos_embedding",)))
    for i in range(sizes.depth):
        found += _layer(f"backbone.temporal.layers.{i}", f"shared_layers_temporal.model.layers.{i}")
    return found + (_lifting_head(sizes) if lift else _masked_head(sizes))


def make(how: str, parts: list[torch.Tensor]) -> torch.Tensor:
    """Build one of our entries from the official ones."""
    if how == "cat":
        return torch.cat(parts)
    (part,) = parts
    if how == "flat":
        return part.squeeze(-1)
    if how == "vector":
        return part.flatten()
    if how == "fold":
        return part * norm_factor(part.numel())
    return part


def norm_factor(channels: int) -> float:
    """Factor from the unbiased to the biased deviation over ``channels`` values."""
    return math.sqrt((channels - 1) / channels)


def never_used(state: Mapping[str, torch.Tensor]) -> list[str]:
    """Entries that the released forward never uses: the closing norms, and positions of layers that are not there."""
    norms = [f"{module}.model.norm.{part}" for module in _NORM_NEVER_APPLIED for part in ("a_2", "b_2")]
    layers = count_layers(state, "Transformer_reduce.model.layers")
    return norms + [f"Transformer_reduce.model.pos_embedding_{i + 1}" for i in range(layers, 3)]


def count_layers(state: Mapping[str, torch.Tensor], prefix: str) -> int:
    """Number of different names right behind ``prefix.``."""
    return len({name[len(prefix) + 1 :].split(".")[0] for name in state if name.startswith(f"{prefix}.")})


def _affine(ours: str, official: str, flat: bool = False) -> list[Rule]:
    weight = Rule(f"{ours}.weight", (f"{official}.weight",), "flat" if flat else "copy")
    return [weight, Rule(f"{ours}.bias", (f"{official}.bias",))]


def _batch_norm(ours: str, official: str) -> list[Rule]:
    names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    return [Rule(f"{ours}.{name}", (f"{official}.{name}",)) for name in names]


def _layer_norm(ours: str, official: str) -> list[Rule]:
    return [Rule(f"{ours}.weight", (f"{official}.a_2",), "fold"), Rule(f"{ours}.bias", (f"{official}.b_2",))]


def _layer(ours: str, official: str, strided: bool = False) -> list[Rule]:
    attention = f"{official}.self_attn.linears"
    found = [
        Rule(f"{ours}.attention.qkv.{part}", tuple(f"{attention}.{i}.{part}" for i in range(3)), "cat")
        for part in ("weight", "bias")
    ]
    found += _affine(f"{ours}.attention.out", f"{attention}.3")
    found += _layer_norm(f"{ours}.norm1", f"{official}.sublayer.0.norm")
    found += _layer_norm(f"{ours}.norm2", f"{official}.sublayer.1.norm")
    found += _affine(f"{ours}.linear1", f"{official}.feed_forward.w_1", flat=strided)
    return found + _affine(f"{ours}.{'conv' if strided else 'linear2'}", f"{official}.feed_forward.w_2")


def _refine(prefix: str) -> list[Rule]:
    return _affine(f"{prefix}linear1", "post_refine.0") + _affine(f"{prefix}linear2", "post_refine.3")


def _lifting_head(sizes: Sizes) -> list[Rule]:
    found = _refine("head.refine.") if sizes.refine_channels else []
    for i in range(sizes.decoder_depth):
        found += _layer(f"head.decoder.layers.{i}", f"Transformer_reduce.model.layers.{i}", strided=True)
    # The release adds positions before the first three layers only.
    for i in range(min(3, sizes.decoder_depth)):
        found.append(Rule(f"head.decoder.positions.{i}", (f"Transformer_reduce.model.pos_embedding_{i + 1}",)))
    for ours, official in (("target", "fcn"), ("sequence", "fcn_1")):
        found += _batch_norm(f"head.{ours}_norm", f"{official}.0")
        found += _affine(f"head.{ours}_out", f"{official}.1", flat=True)
    return found


def _masked_head(sizes: Sizes) -> list[Rule]:
    found = [Rule("head.frame_token", ("temporal_mask_token",)), Rule("head.position", ("dec_pos_embedding",))]
    found += _layer_norm("head.norm", "encoder_LN")
    for side in ("2d", "3d"):
        for i in range(sizes.decoder_depth):
            found += _layer(f"head.decoder_{side}.layers.{i}", f"decoder{side}.model.layers.{i}")
        found += _batch_norm(f"head.decoder_{side}.out_norm", f"fcn_dec{side}.0")
        found += _affine(f"head.decoder_{side}.out", f"fcn_dec{side}.1", flat=True)
    return found
