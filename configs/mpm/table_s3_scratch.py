# Study S3: no pre-training, tokens as released.
_base_ = ["table_6_scratch.py"]
