# Pre-training on motion capture clips, and on 2D keypoints of videos that have no 3D
# (tools/dataset_converters/keypoints_2d.py). uv run tools/train.py configs/mpm/pretrain_mocap_27_extra_2d.py
_base_ = ["pretrain_mocap_27.py"]

train_dataloader = dict(
    dataset=dict(
        dataset_2d=dict(store=["data/stores/mocap_train", "data/stores/keypoints_2d_train"], modalities=("2d",))
    )
)
