# Pre-training on 2D alone, of motion capture clips; on any 2D keypoints with another store in dataset_2d
# (tools/dataset_converters/keypoints_2d.py). The row "2D" of the paper's table 6.
_base_ = ["pretrain_mocap_27.py"]

model = dict(modalities=("2d",))
train_dataloader = dict(dataset=dict(dataset_3d=None))
