# Pre-training on motion capture clips. python tools/train.py configs/mpm/pretrain_mocap_27.py
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/mocap_pretrain.py",
    "_base_/schedules/pretrain.py",
]
