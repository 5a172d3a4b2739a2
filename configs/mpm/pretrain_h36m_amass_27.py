# Pre-training for occluded 2D and completion, 27 frames as released for these; the paper names none.
# Released code: depth=3 in the backbone, here and in what starts from it; the paper's four layers are the default.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/h36m_amass_pretrain.py",
    "_base_/schedules/pretrain.py",
]

_windows = dict(window=27)
train_dataloader = dict(dataset=dict(dataset_2d=_windows, dataset_3d=_windows))
