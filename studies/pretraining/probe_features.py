"""Print what a lifter's or pre-training's features know of the 3D pose, layer by layer.

For the centre frame of each window: the error in mm of a linear map from the features to the root-relative 3D, fitted
on the training store, and in brackets the effective rank of the features. BatchNorm takes its statistics from the
windows, so that a model that was never trained can be compared too. No mask is applied.
"""

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

PARTS = ("encoder", "residual blocks", "spatial layers", "temporal layers")


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", help="a config with an MPMBackbone that takes 2D")
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT", help="of pre-training or lifting")
    parser.add_argument("--data", nargs=2, required=True, metavar=("TRAIN", "TEST"), help="pose stores with 3D")
    parser.add_argument("--windows", type=int, default=1500, help="evenly spaced, of each store (default: %(default)s)")
    args = parser.parse_args(argv)
    for path in (args.config, *args.checkpoints, *args.data):
        if not Path(path).exists():
            parser.error(f"no such file or store: {path}")
    if args.windows < 2:
        parser.error(f"--windows: give 2 or more, not {args.windows}")
    return args


def main() -> None:
    """Print one row per model."""
    args = parse_args()
    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS
    from torch import Tensor, nn

    import mpm_mmpose.register  # noqa: F401
    from mpm_mmpose.checkpoints.loading import CheckpointError, check_fit, load_checkpoint, weights_of
    from mpm_mmpose.data import PoseWindowDataset
    from mpm_mmpose.pose.geometry import root_relative

    from .probe import effective_rank, probe_error

    init_default_scope("mmpose")
    cfg = Config.fromfile(args.config).model.backbone
    cfg.init_cfg = None
    centre = cfg.num_frames // 2

    def windows(store: str) -> tuple[Tensor, Tensor]:
        dataset = PoseWindowDataset(store, cfg.num_frames, max_windows=args.windows)
        batch = dataset.__getitems__(range(len(dataset)))
        return batch["keypoints"], root_relative(batch["keypoints_3d"], 0)[:, centre]

    def features(backbone: nn.Module, keypoints: Tensor) -> list[Tensor]:
        found: list[Tensor] = []
        parts = (backbone.encoder_2d, backbone.spatial.blocks, backbone.spatial, backbone.temporal.layers)
        hooks = [part.register_forward_hook(lambda _, __, output: found.append(output)) for part in parts]
        with torch.no_grad():
            backbone(keypoints)
        for hook in hooks:
            hook.remove()
        return [part.view(*keypoints.shape[:2], -1)[:, centre] for part in found]

    train, test = (windows(store) for store in args.data)
    raw = [poses[:, centre].flatten(1) for poses in (train[0], test[0])]
    print(f"the 2D itself: {1000 * probe_error(raw[0], train[1], raw[1], test[1]):.1f} mm\n")
    print(f"| model | {' | '.join(PARTS)} |\n|---|{'---:|' * len(PARTS)}")
    for checkpoint in (None, *args.checkpoints):
        torch.manual_seed(0)
        backbone = MODELS.build(cfg).eval()
        if checkpoint:
            try:
                weights = weights_of(load_checkpoint(checkpoint), checkpoint)
                weights = {name.removeprefix("backbone."): value for name, value in weights.items()}
                # Heads, and what pre-training alone needs, are of no interest here.
                weights = {name: value for name, value in weights.items() if name in backbone.state_dict()}
                check_fit(backbone, weights, checkpoint, args.config)
            except CheckpointError as error:
                sys.exit(f"error: {error}")
            backbone.load_state_dict(weights)
        for module in backbone.modules():
            module.train(isinstance(module, nn.BatchNorm1d))
        cells = [
            f"{1000 * probe_error(one, train[1], other, test[1]):.1f} ({effective_rank(one):.1f})"
            for one, other in zip(features(backbone, train[0]), features(backbone, test[0]), strict=True)
        ]
        print(f"| {checkpoint or 'not trained'} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
