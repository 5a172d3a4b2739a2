# Table C and figure 6 of the paper: lifting after pretrain_h36m_amass_keypoints_5_frames_80.py.
_base_ = ["lift_h36m_243.py"]

model = dict(
    backbone=dict(init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_keypoints_5_frames_80/epoch_15.pth"))
)
