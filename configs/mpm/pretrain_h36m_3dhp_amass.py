# Pre-training on all three data sets together, in Human3.6M's 17 keypoints: MPI-INF-3DHP has 16 of them, and what it
# lacks (the nose; its head is another place) is masked and no target. The paper does so for table 2 alone, and leaves
# MPI-INF-3DHP out elsewhere because its keypoints are defined otherwise (section 4.2).
_base_ = ["pretrain_h36m_amass.py"]

_stores = [
    dict(store="data/stores/h36m_train", window=243),
    dict(store="data/stores/mpi_inf_3dhp_train", window=243, keypoint_set="h36m_17"),
    dict(store="data/stores/amass_train", window=243),
]
_windows = dict(_delete_=True, type="MixedPoseDataset", datasets=_stores)
_windows_2d = dict(_windows, datasets=[dict(store, modalities=("2d", "3d")) for store in _stores])
train_dataloader = dict(dataset=dict(dataset_2d=_windows_2d, dataset_3d=_windows))
