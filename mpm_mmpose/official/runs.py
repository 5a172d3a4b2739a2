"""Run converted models on the authors' inputs; outputs under the names of the reference notes, section 2."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..evaluation.pose_error import mpjpe, p_mpjpe
from ..models.losses import mean_distance
from ..pose.geometry import root_relative, uvd_to_camera
from ..pose.keypoints import get_keypoint_set
from .figures import Figures

# Their modules whose outputs the figures hold, and ours.
_MODULES = {
    "encoder2d": "backbone.encoder_2d",
    "encoder3d": "backbone.encoder_3d",
    "shared_layers_spatial": "backbone.spatial",
    "shared_layers_temporal": "backbone.temporal",
    "encoder_LN": "head.norm",
    "decoder2d": "head.decoder_2d.layers",
    "decoder3d": "head.decoder_3d.layers",
    "Transformer_reduce": "head.decoder",
    "Transformer_reduce.model.layers.0": "head.decoder.layers.0",
    "Transformer_reduce.model.layers.1": "head.decoder.layers.1",
}
_FRAME_WISE = ("encoder2d", "encoder3d", "shared_layers_spatial")


@contextmanager
def recorded(model: nn.Module, folder: str, outputs: dict[str, Tensor]) -> Iterator[None]:
    """Keep the outputs of the modules that the figures know as ``folder/<their name>``, in their layout."""

    def keep(name: str, frame_wise: bool) -> Callable:
        def hook(module: nn.Module, inputs: tuple, output: Tensor) -> None:
            # Ours is (B * T, C); theirs, from 1x1 convolutions, (B, C, T).
            outputs[f"{folder}/{name}"] = output.unflatten(0, (-1, frames)).transpose(1, 2) if frame_wise else output

        return hook

    frames = model.backbone.num_frames
    modules = dict(model.named_modules())
    handles = [
        modules[ours].register_forward_hook(keep(name, name in _FRAME_WISE))
        for name, ours in _MODULES.items()
        if ours in modules
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def recover(model: nn.Module, poses: Tensor, to: str, keypoints: Tensor, frames: Tensor | None = None) -> Tensor:
    """Run a masked-pose model on whole poses (B, T, K, 2 or 3); True = masked.

    The masks of the authors: keypoints (1, T, K), the same in the batch (stage I), or (B, 1, K), the same in every
    frame (completion); frames (T,).
    """
    frame_mask = None if frames is None else frames.expand(len(poses), -1)
    feats = model.backbone(poses, frame_mask, keypoints.expand(poses.shape[:3]))
    return model.head(feats, to, frame_mask)


def mirrored(poses: Tensor) -> Tensor:
    """Negate x and swap left and right; (..., K, 2 or 3), Human3.6M order."""
    keypoint_set = get_keypoint_set("h36m_17" if poses.shape[-2] == 17 else "common_16")
    poses = poses[..., list(keypoint_set.flip_indices), :]
    return torch.cat([-poses[..., :1], poses[..., 1:]], dim=-1)


def _rooted(poses: Tensor) -> Tensor:
    """Poses (..., K, 3) with the root at 0."""
    return torch.cat([torch.zeros_like(poses[..., :1, :]), poses[..., 1:, :]], dim=-2)


def _pretrain(model: nn.Module, figures: Figures) -> dict[str, Tensor]:
    outputs: dict[str, Tensor] = {}
    whole = torch.zeros_like(figures["tmask_2d"])
    for folder, runs in {
        "inter_2d2d": [("out_2d2d", "2d", "2d")],
        "inter_3d3d": [("out_3d3d", "3d", "3d")],
        "inter_lift": [("out_lift_2d", "2d", "2d"), ("out_lift_3d", "2d", "3d")],
    }.items():
        with recorded(model, folder, outputs):
            for name, side, to in runs:
                masks = figures[f"smask_{side}"][None], figures[f"tmask_{side}"]
                outputs[name] = recover(model, figures[f"input_{side}"], to, *masks)
    outputs["out_2d2d_notmask"] = recover(model, figures["input_2d"], "2d", figures["smask_2d"][None], whole)
    errors = [mean_distance(outputs[f"out_{side}{side}"], figures[f"input_{side}"]) for side in ("2d", "3d")]
    outputs["loss/l2d"], outputs["loss/l3d"] = errors
    outputs["loss/total_5l2d_2l3d"] = 5 * errors[0] + 2 * errors[1]
    return outputs


def _completion(model: nn.Module, figures: Figures) -> dict[str, Tensor]:
    inputs = {side: figures[f"input_{side}"] for side in ("2d", "3d")}
    masks = {side: figures[f"smask_{side}"][:, None] for side in ("2d", "3d")}
    completed_2d, lifted = (recover(model, inputs["2d"], to, masks["2d"]) for to in ("2d", "3d"))
    completed_3d = recover(model, inputs["3d"], "3d", masks["3d"], figures["tmask"])
    masked = masks["3d"].expand(inputs["3d"].shape[:3])
    blend = model.head.blend(completed_3d, inputs["3d"], masked)
    loss_2d, loss_lift = mean_distance(completed_2d, inputs["2d"]), mean_distance(lifted, inputs["3d"])
    loss_3d = mean_distance(completed_3d, inputs["3d"])
    outputs = {
        "out_2d2d": completed_2d,
        "out_2dlift3d": lifted,
        "out_3d3d": completed_3d,
        "comp3donly_out_2d2d": completed_2d,
        "comp3d_blend": blend,
        "comp3d_blend_mpjpe_mm": 1000 * mean_distance(blend, inputs["3d"]),
        "comp3d_masked_only_mpjpe_mm": 1000 * mean_distance(blend, inputs["3d"], masked),
        "comp3d_train_loss": loss_3d,
        "comp2dlift_loss2d": loss_2d,
        "comp2dlift_losslift": loss_lift,
        "comp2dlift_total_2lift_1l2d": 2 * loss_lift + loss_2d,
        "onlylift_total_3l3d_2l2d_8lift": 3 * loss_3d + 2 * loss_2d + 8 * loss_lift,
        "comp2dlift_eval_mpjpe_mm": 1000 * mean_distance(_rooted(lifted), inputs["3d"]),
    }
    if "tta/input_2d" in figures:
        for to in ("2d", "3d"):
            # As released: the mirrored input is masked with the mask of the plain one (reference notes, section 5).
            plain, other = (recover(model, x, to, masks["2d"]) for x in figures["tta/input_2d"].unbind(1))
            outputs[f"tta/out_{to}"] = (plain + mirrored(other)) / 2
    return outputs


def _lift(model: nn.Module, figures: Figures) -> dict[str, Tensor]:
    outputs: dict[str, Tensor] = {}
    with recorded(model, "inter", outputs):
        single, sequence = model.head(model.backbone(figures["input_bfjc"]))
    target = _rooted(figures["gt_3d"])
    outputs |= {"out_single_bfjc": single[:, None], "out_seq_bfjc": sequence}
    # The official layout is (B, 3, T, K, 1).
    outputs |= {"out_single": single[:, None].permute(0, 3, 1, 2), "out_seq": sequence.permute(0, 3, 1, 2)}
    outputs["loss/seq"] = mean_distance(sequence, target)
    outputs["loss/single"] = mean_distance(single, target[:, target.shape[1] // 2])
    outputs["loss/total"] = outputs["loss/seq"] + outputs["loss/single"]
    if "tta/input_2d" in figures:
        runs = [model.head(model.backbone(x)) for x in figures["tta/input_2d"].unbind(1)]
        for i, name in enumerate(("single", "seq")):
            outputs[f"tta/out_{name}_bfjc"] = (runs[0][i] + mirrored(runs[1][i])) / 2
    return outputs


def _refine(model: nn.Module, figures: Figures) -> dict[str, Tensor]:
    refined, score = model(figures["x"], figures["x_1"])
    outputs = {"x_out": refined, "score": score, "rand/x_out": model(figures["x"], figures["rand/x_1"])[0]}
    target = figures["target_root_zeroed"]
    outputs["loss"] = mean_distance(refined, target)
    for folder in ("uvd2xyz", "uvd2xyz_T5"):
        uvd, camera, ground_truth = (figures[f"{folder}/{name}"] for name in ("uvd", "cam", "gt_3d"))
        outputs[f"{folder}/xyz"] = root_relative(uvd_to_camera(uvd, ground_truth[..., 0, 2], camera))
    outputs["eval_mpjpe_mm_root_zeroed"] = 1000 * mean_distance(_rooted(refined), target)
    return outputs


def _end_to_end(model: nn.Module, figures: Figures) -> dict[str, Tensor]:
    """Mean over actions of both errors, with and without flip and refine module."""
    poses, ground_truth = figures["e2e/input_2d"], figures["e2e/gt_3d"][:, 0]
    sample = PoseDataSample(
        gt_instances=InstanceData(
            keypoints=poses[:, poses.shape[1] // 2], intrinsics=figures["e2e/cam"], root_depth=ground_truth[:, 0, 2]
        )
    )
    actions = np.array([name.split()[0] for name in figures.array("e2e/action")])  # "Walking 1" is of Walking
    batches = figures.array("e2e/batch_id")
    plain, other = (model.head.forward_target(model.backbone(x)) for x in (poses, figures["e2e/input_2d_flipped"]))
    outputs = {}
    for flip, lifted in enumerate((plain, (plain + mirrored(other)) / 2)):
        predictions = [lifted]
        if hasattr(model.head, "refine"):
            predictions.append(model.head.refine_target(lifted, [sample]))
        for refine, predicted in enumerate(predictions):
            pair = _rooted(predicted).numpy(), _rooted(ground_truth).numpy()
            similar = p_mpjpe(*pair)
            for batch in np.unique(batches):
                if len(set(actions[batches == batch])) > 1:  # as released: a mixed batch counts with its mean
                    similar[batches == batch] = similar[batches == batch].mean()
            for name, errors in (("p1_mm", mpjpe(*pair)), ("p2_mm", similar)):
                mean = np.mean([errors[actions == action].mean() for action in np.unique(actions)])
                outputs[f"e2e/tta{flip}_refine{refine}/{name}"] = torch.tensor(1000 * mean)
    return outputs


# What a file is told by, and what runs a model on it.
FILES = {
    "pretrain": ("out_lift_3d", _pretrain),
    "completion": ("out_2dlift3d", _completion),
    "lift": ("out_seq_bfjc", _lift),
    "refine": ("rand/x_out", _refine),
    "end-to-end": ("e2e/input_2d", _end_to_end),
}
