# Study S3: pre-training and lifting with 10 % of the attention weights dropped, as released.
_base_ = ["table_6_2d_3d.py"]
