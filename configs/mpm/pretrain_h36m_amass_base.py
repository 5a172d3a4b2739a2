# Pre-training on half of the windows of each data set. Table E of the paper compares Small, Base and Large
# amounts of data; what exactly is in them is not known here, so these are plain fractions: 1/4, 1/2 and all.
_base_ = ["pretrain_h36m_amass.py"]

_windows = dict(
    _delete_=True,
    type="MixedPoseDataset",
    datasets=[dict(store="data/stores/h36m_train", window=243), dict(store="data/stores/amass_train", window=243)],
    fractions=[0.5, 0.5],
)
train_dataloader = dict(dataset=dict(dataset_2d=_windows, dataset_3d=_windows))
