# Study S3: no pre-training, no attention weights dropped.
_base_ = ["table_6_scratch.py"]

model = dict(backbone=dict(attn_drop=0.0), head=dict(attn_drop=0.0))
