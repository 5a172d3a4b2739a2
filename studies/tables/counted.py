"""Parameters and FLOPs of the paper's tables 5 and D, by counting."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import torch
from torch import nn

from mpm_mmpose.models.cost import count_flops, count_parameters

FRAMES, STRIDES = 243, (3, 3, 3, 3, 3)


class _Modules(nn.Module):
    """Every module of both stages, each used once."""

    def __init__(self, depth: int, keypoints: int) -> None:
        super().__init__()
        # Here, because the list of tables is read where no model is needed.
        from mpm_mmpose.models import LiftingHead, MaskedPoseHead, MPMBackbone

        size = dict(num_frames=FRAMES, num_keypoints=keypoints)
        self.backbone = MPMBackbone(depth=depth, **size)
        self.pretraining = MaskedPoseHead(**size)
        self.lifting = LiftingHead(strides=STRIDES, **size)
        self.poses = [torch.zeros(1, FRAMES, keypoints, coordinates) for coordinates in (2, 3)]

    def forward(self) -> None:
        """Encode and decode a window of 2D and one of 3D."""
        tokens_2d, tokens_3d = map(self.backbone, self.poses)
        self.pretraining(tokens_2d, "2d")
        self.pretraining(tokens_3d, "3d")
        self.lifting.forward_target(tokens_2d)


#: Parts of `_Modules` by name of the row, and how often the forward pass uses them.
_PARTS = {
    "encoder_2d": (("backbone.encoder_2d",), 1),
    "encoder_3d": (("backbone.encoder_3d",), 1),
    "shared": (("backbone.spatial", "backbone.temporal"), 2),
    "decoder_2d": (("pretraining.decoder_2d",), 1),
    "decoder_3d": (("pretraining.decoder_3d",), 1),
    "decoder_lift": (("lifting.decoder",), 1),
}


def module_cost(name: str) -> dict[str, float]:
    """Figures of a row of table 5: of `_PARTS`; thousands of parameters and millions of FLOPs."""
    names, times = _PARTS[name]
    figures = {}
    for prefix, depth, keypoints, printed in (("", 5, 16, True), ("used/", 4, 17, False)):
        model, flops = _counted(depth, keypoints)
        parts = [model.get_submodule(part) for part in names]
        parameters = sum(count_parameters(part) - (_left_out(part) if printed else 0) for part in parts)
        figures[f"{prefix}parameters_k"] = parameters / 1e3
        counts = (flops(part, ("bmm",) if printed else ()) for part in names)
        figures[f"{prefix}flops_m"] = sum(counts) / times / 1e6
    return figures


@cache
def _counted(depth: int, keypoints: int) -> tuple[_Modules, Callable[..., int]]:
    model = _Modules(depth, keypoints).eval()
    return model, count_flops(model, model)[0]


def _left_out(module: nn.Module) -> int:
    """Parameters that table 5 does not count: of LayerNorm, and position embeddings."""
    norms = [part for part in module.modules() if isinstance(part, nn.LayerNorm)]
    positions = [parameter for name, parameter in module.named_parameters() if name.startswith("position")]
    return sum(map(count_parameters, norms)) + sum(position.numel() for position in positions)


@cache
def lifter_cost() -> dict[str, float]:
    """Figures of table D's row: millions of parameters and FLOPs of the lifter of 243 frames, one window."""
    from mpm_mmpose.models import LiftingHead, MPMBackbone

    backbone = MPMBackbone(num_frames=FRAMES, inputs=("2d",), mask_tokens=False)
    head = LiftingHead(num_frames=FRAMES, strides=STRIDES)

    class Lifter(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone, self.head = backbone, head

        def forward(self) -> None:
            self.head(self.backbone(torch.zeros(1, FRAMES, 17, 2)))

    model = Lifter().eval()
    flops, _ = count_flops(model, model)
    return dict(parameters_m=count_parameters(model) / 1e6, flops_m=flops("") / 1e6)
