# Table E and figure E of the paper: lifting after pre-training on the small amount of data.
_base_ = ["lift_h36m_243.py"]

model = dict(backbone=dict(init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_small/epoch_15.pth")))
