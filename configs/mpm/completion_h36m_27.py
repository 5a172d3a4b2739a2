# 3D with masked limbs to whole 3D (paper's table 4), trained on the released patterns, three keypoints each.
# Released code: batch 2048, 2e-4.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_completion.py",
    "_base_/datasets/h36m_completion.py",
    "_base_/schedules/lift.py",
]

_patterns = [["right_leg"], ["left_leg"], ["right_arm"], ["left_arm"], 3]
model = dict(
    data_preprocessor=dict(type="CompletionPreprocessor", masking=dict(type="tube", patterns=_patterns)),
    backbone=dict(
        inputs=("3d",),
        init_cfg=dict(
            type="Pretrained", checkpoint="work_dirs/pretrain_h36m_amass_27/epoch_15.pth", prefix="backbone."
        ),
    ),
)
default_hooks = dict(checkpoint=dict(save_best=None))
