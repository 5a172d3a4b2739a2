# Lifting of the paper, from pre-trained weights. bash tools/dist_train.sh configs/mpm/lift_h36m_243.py 4
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/h36m_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(
    backbone=dict(
        num_frames=243,
        init_cfg=dict(type="Pretrained", checkpoint="work_dirs/pretrain_h36m_amass/epoch_15.pth", prefix="backbone."),
    ),
    head=dict(num_frames=243, strides=(3, 3, 3, 3, 3)),
)
default_hooks = dict(checkpoint=dict(save_best=None))
