# Pre-training with the loss on hidden keypoints alone; the paper and its released code take all of them.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(loss_on="hidden")
