# Study S3: without pre-training, 2D where it is in the image, as released.
_base_ = ["table_6_scratch.py"]
