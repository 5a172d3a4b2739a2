# Pre-training with a LayerNorm on tokens before their positions are added; a study of this project.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(backbone=dict(token_norm=True))
