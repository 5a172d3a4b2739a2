# Pre-training on 2D alone: the row "2D" of the paper's table 6.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(modalities=("2d",))
train_dataloader = dict(dataset=dict(dataset_3d=None))
