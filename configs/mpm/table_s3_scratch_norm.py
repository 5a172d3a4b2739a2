# Study S3: no pre-training, a LayerNorm on tokens before their positions are added.
_base_ = ["table_6_scratch.py"]

model = dict(backbone=dict(token_norm=True))
