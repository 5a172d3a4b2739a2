#!/usr/bin/env python
"""Write docs/model_zoo.md: every model of the model index, with its weights and results where it has them."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/model_zoo.md"
HEAD = """# Model zoo

Made from `configs/mpm/metafile.yml` by `uv run -m studies.comparison.model_zoo`. Names and aliases are what `--model`
of the demos and `MPMInferencer` take; MIM and MMPose find the same by `model-index.yml`.

## With weights

"""
REST = """
What the weights are good for and what not: [model card](model_card.md). How they were trained:
[real videos](real_video.md).

## Configs without weights of ours

Human3.6M and MPI-INF-3DHP are licensed to persons, so nobody may give such weights away but their owners; the authors'
own convert ([how](official_weights.md)). Train them, or pass `--weights`.

"""


def page() -> str:
    """The page's text."""
    models = yaml.safe_load((ROOT / "configs/mpm/metafile.yml").read_text(encoding="utf-8"))["Models"]
    ready = [model for model in models if "Weights" in model]
    text = HEAD + "| name | weights | task | data | MPJPE, mm | P-MPJPE, mm |\n|---|---|---|---|---:|---:|\n"
    for model in ready:
        for result in model["Results"]:
            found = result["Metrics"]
            cells = _name(model), f"[file](../{model['Weights']})", result["Task"], result["Dataset"]
            text += f"| {' | '.join([*cells, str(found['MPJPE']), str(found['P-MPJPE'])])} |\n"
    text += REST + "| name | config | trained on | input | task |\n|---|---|---|---|---|\n"
    for model in models:
        if model not in ready:
            meta = model["Metadata"]
            cells = _name(model), f"[config](../{model['Config']})", ", ".join(meta["Training Data"]), meta["Input"]
            text += f"| {' | '.join([*cells, meta['Task']])} |\n"
    return text


def _name(model: dict) -> str:
    return f"`{model['Name']}`, " + ", ".join(f"`{alias}`" for alias in model["Alias"])


def main() -> int:
    """Write the page; returns the exit status."""
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote {PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
