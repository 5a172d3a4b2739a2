# Table B of the paper: lifting after pre-training with spatial masks.
_base_ = ["lift_h36m_243.py"]

model = dict(backbone=dict(init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_spatial/epoch_15.pth")))
