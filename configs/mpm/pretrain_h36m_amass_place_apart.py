# Pre-training with 2D relative to its window's mean and the mean beside it; the paper's 2D is where it is in the image.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(backbone=dict(place_apart=True))
