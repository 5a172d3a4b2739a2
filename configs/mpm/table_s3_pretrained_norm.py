# Study S3: pre-trained on 2D and 3D, a LayerNorm on tokens before their positions are added.
_base_ = ["lift_h36m_243.py"]

model = dict(
    backbone=dict(token_norm=True, init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_token_norm/epoch_15.pth"))
)
