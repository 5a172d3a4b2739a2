# Pre-training on all three data sets with 81 frames and 3 temporal layers, as released for MPI-INF-3DHP.
_base_ = ["pretrain_h36m_3dhp_amass.py"]

_windows = dict(
    datasets=[
        dict(store="data/stores/h36m_train", window=81),
        dict(store="data/stores/mpi_inf_3dhp_train", window=81, keypoint_set="h36m_17"),
        dict(store="data/stores/amass_train", window=81),
    ],
)
model = dict(backbone=dict(num_frames=81, depth=3), head=dict(num_frames=81))
train_dataloader = dict(dataset=dict(dataset_2d=_windows, dataset_3d=_windows))
