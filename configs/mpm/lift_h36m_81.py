# 81 frames, from scratch: weights pre-trained with 243 frames have 243 position embeddings.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/h36m_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(backbone=dict(num_frames=81), head=dict(num_frames=81, strides=(3, 3, 3, 3)))
train_dataloader = dict(dataset=dict(window=81))
val_dataloader = dict(dataset=dict(window=81))
test_dataloader = dict(dataset=dict(window=81))
# Validation clips are the test clips of all papers, so no checkpoint is chosen by them: report the last one.
default_hooks = dict(checkpoint=dict(save_best=None))
