# Pre-training of the paper with 81 frames.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/h36m_amass_pretrain.py",
    "_base_/schedules/pretrain.py",
]

model = dict(backbone=dict(num_frames=81), head=dict(num_frames=81))
_windows = dict(window=81)
train_dataloader = dict(dataset=dict(dataset_2d=_windows, dataset_3d=_windows))
