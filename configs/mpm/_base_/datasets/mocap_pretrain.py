# Motion capture clips seen by virtual cameras (tools/dataset_converters/mocap.py), 2D and 3D unpaired.
_windows = dict(type="PoseWindowDataset", store="data/stores/mocap_train", window=27)
# The 3D that 2D is of comes with it, so that model.loss_lift_weight alone turns the third pretext task on.
_windows_2d = dict(**_windows, modalities=("2d", "3d"))
train_dataloader = dict(
    batch_size=1024,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="keep_batch"),
    dataset=dict(type="MaskedPoseDataset", dataset_2d=_windows_2d, dataset_3d=_windows),
)
