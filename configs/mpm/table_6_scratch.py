# Table 6 of the paper, the row without pre-training.
_base_ = ["lift_h36m_243.py"]

model = dict(backbone=dict(init_cfg=None))
