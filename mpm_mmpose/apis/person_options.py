"""What the options of :func:`~mpm_mmpose.option_parser.add_person_options` ask for."""

from __future__ import annotations

import argparse
from dataclasses import fields

from ..lifting.person_lifting import PersonLifting
from .results import WritingOptions


def lifting_options(args: argparse.Namespace) -> PersonLifting:
    """How people are lifted."""
    return PersonLifting(**{field.name: getattr(args, field.name) for field in fields(PersonLifting)})


def writing_options(args: argparse.Namespace) -> WritingOptions:
    """How people are written."""
    return WritingOptions(**{field.name: getattr(args, field.name) for field in fields(WritingOptions)})
