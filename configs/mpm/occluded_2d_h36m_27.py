# 2D with masked limbs to whole 3D (paper's table 3), trained on the patterns that it is tested on, and six random ones.
# Released code: the patterns of six keypoints only, so that it never sees one with fewer masked; batch 2048, 2e-4.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_completion.py",
    "_base_/datasets/h36m_completion.py",
    "_base_/schedules/lift.py",
]

_patterns = [
    ["right_leg", "left_leg"],
    ["right_arm", "left_arm"],
    ["left_leg", "left_arm"],
    ["right_leg", "right_arm"],
    6,
    2,
    1,
]
model = dict(
    data_preprocessor=dict(masking=dict(type="tube", patterns=_patterns)),
    backbone=dict(
        inputs=("2d",),
        init_cfg=dict(
            type="Pretrained", checkpoint="work_dirs/pretrain_h36m_amass_27/epoch_15.pth", prefix="backbone."
        ),
    ),
    head=dict(outputs=("2d", "3d"), loss_3d_weight=2.0),
)
default_hooks = dict(checkpoint=dict(save_best=None))
