# Pre-training for occluded 2D and completion: 27 frames and 3 temporal layers, as released for these.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/h36m_amass_pretrain.py",
    "_base_/schedules/pretrain.py",
]

model = dict(backbone=dict(depth=3))
_windows = dict(window=27)
train_dataloader = dict(dataset=dict(dataset_2d=_windows, dataset_3d=_windows))
