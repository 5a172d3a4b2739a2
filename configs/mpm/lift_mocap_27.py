# Lifting on motion capture clips, from the weights of pretrain_mocap_27.py.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/mocap_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(
    backbone=dict(
        init_cfg=dict(type="Pretrained", checkpoint="work_dirs/pretrain_mocap_27/epoch_15.pth", prefix="backbone.")
    )
)
