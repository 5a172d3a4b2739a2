# Study S3: pre-training and lifting without attention weights dropped.
_base_ = ["lift_h36m_243.py"]

model = dict(
    backbone=dict(
        attn_drop=0.0, init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_no_attention_dropout/epoch_15.pth")
    ),
    head=dict(attn_drop=0.0),
)
