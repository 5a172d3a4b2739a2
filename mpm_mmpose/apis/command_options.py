"""What the options that :mod:`mpm_mmpose.option_parser` adds ask for."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import fields
from itertools import chain

from ..errors import UsageError
from ..lifting.person_lifting import PersonLifting
from ..readers.keypoint_choice import set_or_map
from .results import WritingOptions
from .sources import Recording, read_recordings


def lifting_options(args: argparse.Namespace) -> PersonLifting:
    """How people are lifted."""
    return PersonLifting(**{field.name: getattr(args, field.name) for field in fields(PersonLifting)})


def writing_options(args: argparse.Namespace) -> WritingOptions:
    """How people are written; UsageError for what cannot be meant, as a character and no file that holds it."""
    if args.character is not None and "glb" not in (*(args.format or ()), args.out.suffix.lower().removeprefix(".")):
        raise UsageError("--character: moves in the format glb alone; add --format glb")
    options = WritingOptions(**{field.name: getattr(args, field.name) for field in fields(WritingOptions)})
    options.check()
    return options


def read_file(args: argparse.Namespace, **options: object) -> Iterable[Recording]:
    """The recordings of a file of 2D keypoints, by :func:`~mpm_mmpose.option_parser.add_file_options`.

    options: more for ``read_recordings``. The first is read now, as it says what is missing; UsageError then.
    """
    recordings = read_recordings(
        args.source,
        fps=args.fps,
        width=args.width,
        height=args.height,
        format=args.keypoint_format,
        keypoint_set=set_or_map(args.keypoint_set, args.keypoint_map),
        sequence=args.sequence,
        ids=args.ids,
        **options,
    )
    return chain([first], recordings) if (first := next(recordings, None)) else ()
