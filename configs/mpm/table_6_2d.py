# Table 6 of the paper, the row "2D": pre-trained on 2D alone.
_base_ = ["lift_h36m_243.py"]

model = dict(backbone=dict(init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_2d_only/epoch_15.pth")))
