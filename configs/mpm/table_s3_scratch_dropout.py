# Study S3: no pre-training, 10 % of the attention weights dropped, as released.
_base_ = ["table_6_scratch.py"]
