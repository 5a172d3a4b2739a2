# Lifting of the paper with 81 frames, from weights pre-trained with as many: each frame has a position embedding.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/h36m_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(
    backbone=dict(
        num_frames=81,
        init_cfg=dict(
            type="Pretrained", checkpoint="work_dirs/pretrain_h36m_amass_81/epoch_15.pth", prefix="backbone."
        ),
    ),
    head=dict(num_frames=81, strides=(3, 3, 3, 3)),
)
train_dataloader = dict(dataset=dict(window=81))
val_dataloader = dict(dataset=dict(window=81))
test_dataloader = dict(dataset=dict(window=81))
default_hooks = dict(checkpoint=dict(save_best=None))
