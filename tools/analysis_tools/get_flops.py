"""Print parameters and FLOPs of every module of a config's model, and what one output frame costs.

Counted by torch.utils.flop_counter: matrix products, convolutions and attention, two operations a multiply-add;
normalisations, activations and additions are not counted. One sample, evaluation; every output of the model is
counted, so a lifter's projection of the whole sequence too, which only training needs.
"""

import argparse
import json
import math
import sys
from typing import Any


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="any config of this project, or of one of MMPose's lifters")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--depth", type=int, default=3, help="levels of modules to list (default: 3)")
    parser.add_argument("--shape", metavar="T,K,C", help="input of one sample, where the backbone does not tell it")
    parser.add_argument("--cfg-options", nargs="+", metavar="KEY=VALUE", default=[], help="override config entries")
    args = parser.parse_args(argv)
    if args.shape is not None:
        try:
            frames, keypoints, channels = (int(size) for size in args.shape.split(","))
        except ValueError:
            parser.error(f"argument --shape: {args.shape!r} is not three numbers such as 243,17,2")
        args.shape = (frames, keypoints, channels)
    return args


def input_shape(backbone: dict) -> tuple[int, int, int]:
    """Frames, keypoints and coordinates of one sample, as the backbone's config says.

    Raises:
        ValueError: The backbone is of a type whose config does not tell.
    """
    if backbone["type"] == "MPMBackbone":
        return backbone["num_frames"], backbone.get("num_keypoints", 17), 2
    if backbone["type"] == "TCN":
        return math.prod(backbone.get("kernel_sizes", (3, 3, 3))), backbone["in_channels"] // 2, 2
    if backbone["type"] == "DSTFormer":
        return backbone.get("seq_len", 243), backbone.get("num_keypoints", 17), backbone["in_channels"]
    raise ValueError(f"the config of backbone {backbone['type']} does not tell its input: give --shape T,K,C")


def sample_inputs(model: Any, shape: tuple[int, int, int], layout: str) -> Any:
    """One random sample the way the model takes it."""
    import torch

    frames, keypoints, _ = shape
    if layout == "MaskedPoseEstimator":
        batch = {
            "keypoints": torch.rand(1, frames, keypoints, 2),
            "keypoints_3d": torch.rand(1, frames, keypoints, 3),
        }
        return model.data_preprocessor(batch, training=False)["inputs"]
    poses = torch.rand(1, *shape)
    # MMPose's convolutional lifters take (B, K * C, T).
    return poses.flatten(2).transpose(1, 2).contiguous() if layout == "TCN" else poses


def measure(config: Any, shape: tuple[int, int, int] | None = None) -> dict[str, Any]:
    """Count a model; returns what --json prints.

    ``modules`` maps each module's name ("" is the whole model) to ``parameters`` (trainable ones) and ``flops`` a
    window. A model whose output has all T frames costs ``flops / T`` an output frame, another a whole window.
    """
    from mmpose.registry import MODELS

    from mpm_mmpose.models.cost import count_flops, count_parameters

    shape = shape or input_shape(config.model.backbone)
    model = MODELS.build(config.model).eval()
    layout = config.model.type if config.model.type == "MaskedPoseEstimator" else config.model.backbone.type
    inputs = sample_inputs(model, shape, layout)
    flops, output = count_flops(model, lambda: model(inputs, None, mode="tensor"))
    modules = {
        name: dict(parameters=count_parameters(module), flops=flops(name)) for name, module in model.named_modules()
    }
    out_frames = shape[0] if _gives_all_frames(output, shape) else 1
    return dict(
        model=type(model).__name__,
        input_shape=[1, *shape],
        output_frames=out_frames,
        parameters=modules[""]["parameters"],
        flops=modules[""]["flops"],
        flops_per_output_frame=modules[""]["flops"] / out_frames,
        modules={name: value for name, value in modules.items() if value["parameters"] or value["flops"]},
    )


def _gives_all_frames(output: Any, shape: tuple[int, int, int]) -> bool:
    """Whether the (first) output is one pose per frame; a lifter that gives the sequence too gives its target first."""
    while isinstance(output, (tuple, list, dict)):
        output = next(iter(output.values() if isinstance(output, dict) else output))
    return output.ndim == 4 and output.shape[1] == shape[0]


def report(found: dict[str, Any], depth: int) -> str:
    """Lay the figures out as a table, modules down to ``depth`` levels."""
    lines = [f"{'module':<44}{'parameters':>14}{'FLOPs a window':>18}"]
    for name, value in found["modules"].items():
        level = name.count(".") + 1 if name else 0
        if level <= depth:
            label = "  " * level + (name.rsplit(".", 1)[-1] or found["model"])
            lines.append(f"{label:<44}{value['parameters']:>14,}{value['flops']:>18,}")
    frames = found["output_frames"]
    kind = f"a window gives {frames} frames" if frames > 1 else "a window gives one frame"
    lines.append(f"\ninput {tuple(found['input_shape'])}, evaluation, {kind}")
    lines.append(f"one output frame costs {found['flops_per_output_frame']:,.0f} FLOPs")
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Count the model of a config; returns the exit status."""
    args = parse_args(argv)
    # Imported here: MMPose takes seconds, and --help needs none of it.
    from mmengine.config import Config, DictAction

    try:
        config = Config.fromfile(args.config)
        if "model" not in config:
            raise ValueError("the config has no model")
        if args.cfg_options:
            parser = argparse.ArgumentParser()
            parser.add_argument("--cfg-options", nargs="+", action=DictAction)
            config.merge_from_dict(parser.parse_args(["--cfg-options", *args.cfg_options]).cfg_options)
        from mmpose.utils import register_all_modules

        register_all_modules()
        import mpm_mmpose.register  # noqa: F401

        found = measure(config, args.shape)
    except (OSError, ValueError, KeyError) as error:
        print(f"get_flops.py: error: {args.config}: {error}", file=sys.stderr)
        return 2
    if args.json:
        print(json.dumps(found, indent=2))
    else:
        print(report(found, args.depth))
    return 0


if __name__ == "__main__":
    sys.exit(main())
