# Study S3: without pre-training, 2D relative to its window's mean, and the mean beside it.
_base_ = ["table_6_scratch.py"]

model = dict(backbone=dict(place_apart=True))
