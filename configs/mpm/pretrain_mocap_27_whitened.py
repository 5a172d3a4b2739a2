# Masked pre-training on motion capture clips whose targets leave out place and size and teach all directions of a pose
# alike, with whole frames masked: the paper's targets teach where people stand in the image (docs/results.md).
_base_ = ["pretrain_mocap_27.py"]

model = dict(
    targets="whitened",
    data_preprocessor=dict(masking=dict(_delete_=True, type="temporal", ratio=0.6)),
    backbone=dict(place_apart=True),
)
