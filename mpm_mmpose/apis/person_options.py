"""What the options of :func:`~mpm_mmpose.option_parser.add_person_options` ask for."""

from __future__ import annotations

import argparse
from dataclasses import fields

from ..errors import UsageError
from ..lifting.person_lifting import PersonLifting
from .results import WritingOptions


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
