# The base lifter for real footage: as wild_27.py, with 2.7 seconds of motion around every frame in place of 0.9.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/wild.py",
    "_base_/datasets/open_motion.py",
    "_base_/schedules/wild.py",
]
model = dict(backbone=dict(num_frames=81), head=dict(num_frames=81))
# Windows of neighbouring frames are nearly the same: a third of them are as many frames a step and an epoch.
train_dataloader = dict(dataset=dict(window=81, stride=3))
val_dataloader = dict(dataset=dict(window=81, stride=3))
test_dataloader = dict(dataset=dict(window=81))
