# Motion capture clips seen by virtual cameras (tools/dataset_converters/mocap.py), 2D and 3D unpaired.
_windows = dict(type="PoseWindowDataset", store="data/stores/mocap_train", window=27)
train_dataloader = dict(
    batch_size=1024,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="keep_batch"),
    dataset=dict(type="MaskedPoseDataset", dataset_2d=_windows, dataset_3d=_windows),
)
