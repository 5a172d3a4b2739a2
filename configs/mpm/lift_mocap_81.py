# Lifting on motion capture clips with 81 frames, from scratch.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/mocap_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(backbone=dict(num_frames=81), head=dict(num_frames=81, strides=(3, 3, 3, 3)))
train_dataloader = dict(dataset=dict(window=81))
val_dataloader = dict(dataset=dict(window=81))
test_dataloader = dict(dataset=dict(window=81))
