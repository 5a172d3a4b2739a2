"""The lifter that a study measures: the one in the package, or a config and its checkpoint."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout

import torch

from mpm_mmpose.apis.model_index import build_lifter
from mpm_mmpose.apis.model_names import find_model
from mpm_mmpose.lifting.track_lifter import TrackLifter
from mpm_mmpose.runtime import OnnxModel


def load_lifter(config: str | None, weights: str | None, device: str = "cpu", **options: object) -> TrackLifter:
    """A lifter of a config and weights, see `find_model`, or the one in the package; options: of `TrackLifter`."""
    if config is None:
        return TrackLifter(OnnxModel(threads=torch.get_num_threads()), **options)
    # MMEngine prints on stdout, which is for what is written, where it loads weights from.
    with redirect_stdout(sys.stderr):
        model = build_lifter(*find_model(config, weights), device)
    return TrackLifter(model, **options)
