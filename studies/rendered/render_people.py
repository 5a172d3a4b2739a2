#!/usr/bin/env python
"""Draw people of a pose store: images to train a 2D model on, or videos with their ground truth to measure one on."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from mpm_mmpose.option_parser import OptionParser


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Command line to namespace; leaves with status 2 for wrong use."""
    parser = OptionParser(description=__doc__, epilog="docs/rendered_people.md says more.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    images = kinds.add_parser("images", help="single images with annotations in COCO's layout")
    videos = kinds.add_parser("videos", help="whole clips as .mp4, and a pose store of what is true in them")
    for kind, number in ((images, 16000), (videos, 12)):
        kind.add_argument(
            "store", type=Path, help="a pose store with cameras, as tools/dataset_converters/mocap.py makes"
        )
        kind.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what comes out")
        kind.add_argument("--number", type=_positive, default=number, help="how many; default: %(default)s")
        kind.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    images.add_argument(
        "--sheet", type=Path, metavar="FILE", help="picture (.png, .jpg) of the first 24 images to write"
    )
    videos.add_argument("--frames", type=_positive, default=150, help="of a clip, at most; default: %(default)s")
    return parser.parse_args(argv)


def _positive(text: str) -> int:
    if (value := int(text)) < 1:
        raise ValueError
    return value


_positive.__name__ = "whole number above 0"


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    args = parse_args(argv)
    from tqdm import tqdm

    from mpm_mmpose.data import PoseStore
    from mpm_mmpose.errors import UsageError, exit_status

    from .stills import draw_sheet, write_stills
    from .videos import choose_sequences, write_videos

    def work() -> None:
        try:
            print(f"wrote {make()}")
        except FileExistsError as error:
            raise UsageError(error) from None

    def make() -> object:
        store = PoseStore(args.store)
        if args.kind == "images":
            with tqdm(total=args.number, unit="image") as bar:
                made = write_stills(args.store, args.out, args.number, args.seed, bar.update)
            if args.sheet:
                print(f"wrote {draw_sheet(made, args.sheet)}")
        else:
            sequences = choose_sequences(store, args.number, args.seed, args.frames)
            with tqdm(total=sum(map(len, sequences)), unit="frame") as bar:
                made = write_videos(sequences, args.out, args.seed, bar.update)
        return made

    return exit_status(work)


if __name__ == "__main__":
    sys.exit(main())
