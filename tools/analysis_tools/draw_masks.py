"""Draw what the three mask strategies mask of a window, at about the same total ratio."""

import argparse
from pathlib import Path
from typing import Any

from mpm_mmpose.option_parser import OptionParser

# Masked with its frame, masked by itself, visible; of different lightness too, for readers who do not see the hues.
MASKED_FRAME, MASKED_KEYPOINT, VISIBLE = "#3B3F46", "#E69F00", "#DCE8F3"


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = OptionParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="picture to write (.png, .svg or .pdf)")
    parser.add_argument("--frames", type=int, default=27, help="frames of the window (default: 27)")
    parser.add_argument("--ratio", type=float, default=0.71, help="share of all cells to mask (default: 0.71)")
    parser.add_argument("--seed", type=int, default=0, help="of the masks (default: 0)")
    return parser.parse_args(argv)


def draw_panel(axes: Any, title: str, masks: Any, names: tuple[str, ...]) -> None:
    """One grid, keypoints down and frames across, of the first sample of `masks`."""
    import numpy as np
    from matplotlib.colors import ListedColormap

    from mpm_mmpose.masking import masked_cells

    cells = masked_cells(masks, len(names))[0].T.numpy().astype(int)
    share = cells.mean()
    if masks.frame_mask is not None:
        cells[:, masks.frame_mask[0].numpy()] = 2
    keypoints, frames = cells.shape
    colours = ListedColormap([VISIBLE, MASKED_KEYPOINT, MASKED_FRAME])
    axes.pcolormesh(cells, cmap=colours, vmin=0, vmax=2, edgecolors="white", linewidth=1.4)
    axes.set(xlim=(0, frames), ylim=(keypoints, 0), aspect="equal")
    details = []
    if masks.frame_mask is not None:
        details.append(f"{frames - masks.num_visible} of {frames} frames")
    if masks.keypoint_mask is not None:
        where = "in every frame anew" if masks.frame_mask is not None else "in all frames"
        details.append(f"{int(masks.keypoint_mask[0, 0].sum())} of {keypoints} keypoints {where}")
    axes.set_title(title, loc="left", fontsize=15, fontweight="bold", pad=27)
    subtitle = f"{share:.0%} masked: {', '.join(details)}"
    axes.text(0, 1.025, subtitle, transform=axes.transAxes, fontsize=10, color="#555555")
    ticks = np.unique(np.r_[0, np.arange(4, frames, 5), frames - 1])
    axes.set_xticks(ticks + 0.5, [str(tick + 1) for tick in ticks])
    axes.set_yticks(np.arange(keypoints) + 0.5, [name.replace("_", " ") for name in names])
    axes.tick_params(length=0, labelsize=10)
    axes.set_xlabel("frame", fontsize=11)
    for spine in axes.spines.values():
        spine.set_visible(False)


def main() -> None:
    """Draw the masks and write the picture."""
    args = parse_args()
    from matplotlib.patches import Patch

    from mpm_mmpose.masking import spatial_masks, spatio_temporal_masks, stream_generator, temporal_masks
    from mpm_mmpose.pose.keypoints import H36M_17
    from mpm_mmpose.visualization.skeleton import new_figure, save

    window = dict(batch=1, frames=args.frames, keypoints=len(H36M_17), generator=stream_generator("cpu", args.seed))
    panels = {
        "Spatio-temporal (default)": spatio_temporal_masks(**window, total_ratio=args.ratio),
        "Temporal": temporal_masks(**window, ratio=args.ratio),
        "Spatial (tube)": spatial_masks(**window, ratio=args.ratio),
    }
    figure = new_figure(17.5, 4.9, dpi=110)
    grid = figure.subplots(1, 3, sharey=True)
    for axes, (title, masks) in zip(grid, panels.items(), strict=True):
        draw_panel(axes, title, masks, H36M_17.names)
    patches = {VISIBLE: "visible", MASKED_KEYPOINT: "masked keypoint", MASKED_FRAME: "masked frame"}
    figure.legend(
        handles=[Patch(facecolor=colour, label=label) for colour, label in patches.items()],
        loc="lower center",
        ncols=3,
        frameon=False,
        fontsize=12,
    )
    figure.subplots_adjust(left=0.075, right=0.995, top=0.86, bottom=0.16, wspace=0.05)
    save(figure, args.out)
    print(f"wrote {args.out}")


if __name__ == "__main__":
    main()
