#!/usr/bin/env python
"""A checkpoint with more temporal layers that do nothing yet, to train on from: the same 3D, and room to learn."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mpm_mmpose.atomic_file import write_atomically
from mpm_mmpose.checkpoints.loading import load_checkpoint
from mpm_mmpose.checkpoints.model_description import FIELD, ModelDescription
from mpm_mmpose.errors import UsageError, exit_status
from mpm_mmpose.models.temporal_mixer import MixerLayer
from mpm_mmpose.option_parser import OptionParser, positive

_LAYER = re.compile(r"backbone\.temporal\.layers\.(\d+)\.")


def deepened(checkpoint: dict, path: Path, depth: int, seed: int = 0) -> dict:
    """The checkpoint with ``depth`` mixer layers, new ones after each old one in turn; UsageError where it has none.

    What a new layer adds is 0 times what it computes, so that the model gives what it gave.
    """
    description = ModelDescription.from_meta(checkpoint.get("meta", {}), path)
    if description is None or description.model["backbone"].get("temporal") != "mixer":
        raise UsageError(f"{path}: is no model with temporal='mixer'; give one, as wild_27.pth")
    backbone, state = description.model["backbone"], checkpoint["state_dict"]
    old = backbone["depth"]
    if depth <= old:
        raise UsageError(f"{path}: has {old} layers; ask for more than that, not {depth}")
    new_after = [(index + 1) * (depth - old) // old - index * (depth - old) // old for index in range(old)]
    place = [index + sum(new_after[:index]) for index in range(old)]
    torch.manual_seed(seed)
    grown: dict[str, Tensor] = {}
    for name, value in state.items():
        layer = _LAYER.match(name)
        grown[_named(name, place[int(layer[1])]) if layer else name] = value
    for index in sorted(set(range(depth)) - set(place)):
        layer = MixerLayer(description.window, backbone["channels"], backbone["hidden_channels"], 0.0)
        for last in (layer.mix2, layer.linear2):
            torch.nn.init.zeros_(last.weight)
            torch.nn.init.zeros_(last.bias)
        grown |= {f"backbone.temporal.layers.{index}.{name}": value for name, value in layer.state_dict().items()}
    model = description.model | dict(backbone=backbone | dict(depth=depth))
    meta = checkpoint["meta"] | {FIELD: replace(description, model=model).to_meta()}
    return checkpoint | dict(meta=meta, state_dict=grown)


def _named(name: str, layer: int) -> str:
    return _LAYER.sub(f"backbone.temporal.layers.{layer}.", name)


def main(argv: list[str] | None = None) -> int:
    """Read, deepen and write; returns the exit status."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("depth", type=positive(int), help="temporal layers that it is to have")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0, help="of the new layers; default: %(default)s")
    args: argparse.Namespace = parser.parse_args(argv)

    def work() -> None:
        if not args.checkpoint.is_file():
            raise UsageError(f"{args.checkpoint}: no such file")
        made = deepened(load_checkpoint(args.checkpoint), args.checkpoint, args.depth, args.seed)
        args.out.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(args.out, lambda path: torch.save(made, path))
        print(f"wrote: {args.out}")

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
