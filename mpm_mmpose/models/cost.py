"""Parameters and FLOPs of models, counted and not measured."""

from __future__ import annotations

from collections.abc import Callable, Collection

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def count_parameters(module: nn.Module) -> int:
    """Trainable ones."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def count_flops(model: nn.Module, run: Callable[[], object]) -> tuple[Callable[..., int], object]:
    """Call ``run``, which uses the model, and count: matrix products, convolutions, attention; a multiply-add is two.

    Returns a function of a module's name ("" is the whole model) and of names of operators that are not to count, for
    example 'bmm', attention's products of frames with frames; and what ``run`` gave. A module that was not called
    itself, such as a list, or a head that is called by its methods, has the FLOPs of its children.
    """
    counter = FlopCounterMode(display=False)
    # The counter knows no fused attention of the CPU; as plain matrix products it is counted in full.
    with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
        output = run()
    found = {
        name: {operator.__name__: number for operator, number in counts.items()}
        for name, counts in counter.get_flop_counts().items()
    }

    def flops(name: str, without: Collection[str] = ()) -> int:
        module, full = model.get_submodule(name), f"{type(model).__name__}.{name}".rstrip(".")
        if full in found:
            return sum(number for operator, number in found[full].items() if operator not in without)
        return sum(flops(f"{name}.{child}".lstrip("."), without) for child, _ in module.named_children())

    return flops, output
