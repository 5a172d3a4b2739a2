"""From motion to a tested lifter: make or read clips, pre-train, fine-tune, test, draw."""

import argparse
import os
import sys
import warnings
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser

sys.path.insert(0, str(Path(__file__).parents[1]))  # for studies, which are no part of the package


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__)
    parser.add_argument(
        "--motion",
        nargs="+",
        type=Path,
        metavar="DIR",
        help="folders or files of BVH or ASF/AMC clips (default: motion from the built-in generator)",
    )
    parser.add_argument("--out", type=Path, default=Path("work_dirs/quickstart"), help="folder of all results")
    parser.add_argument(
        "--budget", type=float, default=1.0, help="share of the training steps, 1 takes about 8 minutes on 2 CPU cores"
    )
    parser.add_argument(
        "--labelled",
        type=float,
        default=0.03,
        metavar="SHARE",
        help="share of the training clips that the lifters learn from; pre-training takes all (default: 0.03)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of clips, splits, weights and masks")
    args = parser.parse_args()
    if args.budget <= 0:
        parser.error("--budget must be above 0")
    if not 0 < args.labelled <= 1:
        parser.error("--labelled must be above 0 and at most 1")
    for path in args.motion or ():
        if not path.exists():
            parser.error(f"--motion: no such file or folder: {path}")
    return args


def main() -> None:
    """Run the steps one after the other."""
    args = parse_args()
    # OpenMP's threads spin while they wait, which makes steps far slower where other programs want the cores too.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    print("Loading PyTorch and MMPose ...", flush=True)
    # What the libraries below warn each other about is nothing that a newcomer can mend.
    warnings.filterwarnings("ignore", module="mmengine|mmcv|mmdet|mmpose|torch")
    from mpm_mmpose.training.errors import TrainingStopped
    from studies.quickstart.quickstart import quickstart

    try:
        quickstart(
            args.out,
            Path(__file__).parents[1] / "configs/mpm",
            motion=args.motion,
            budget=args.budget,
            seed=args.seed,
            labelled=args.labelled,
        )
    except (ValueError, OSError, TrainingStopped) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        print(f"\ninterrupted: finished steps are in {args.out}; the same command starts over", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
