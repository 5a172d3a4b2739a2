# Pre-training on motion capture clips. uv run tools/train.py configs/mpm/pretrain_mocap_27.py
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/mocap_pretrain.py",
    "_base_/schedules/pretrain.py",
]

# A token per keypoint that starts at its mean: 10 % (completion) and 18 % (occluded 2D) less error than one for all in
# study S6 of docs/results.md.
model = dict(backbone=dict(tokens_per_keypoint=True))
