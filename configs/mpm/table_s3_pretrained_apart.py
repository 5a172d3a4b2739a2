# Study S3: pre-trained on 2D and 3D, 2D relative to its window's mean, and the mean beside it, in both stages.
_base_ = ["lift_h36m_243.py"]

model = dict(
    backbone=dict(place_apart=True, init_cfg=dict(checkpoint="work_dirs/pretrain_h36m_amass_place_apart/epoch_15.pth"))
)
