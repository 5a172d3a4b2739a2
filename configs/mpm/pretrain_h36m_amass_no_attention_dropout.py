# pretrain_h36m_amass.py without attention weights dropped.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(backbone=dict(attn_drop=0.0), head=dict(attn_drop=0.0))
