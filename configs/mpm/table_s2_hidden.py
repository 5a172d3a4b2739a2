# Study S2: lifting after pre-training with the loss on hidden keypoints alone.
_base_ = ["lift_h36m_243.py"]

model = dict(backbone=dict(init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_loss_hidden/epoch_15.pth")))
