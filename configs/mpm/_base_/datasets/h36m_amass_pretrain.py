# Human3.6M (S1, S5, S6, S7, S8) and AMASS, 2D and 3D unpaired. batch_size is that of one process: 4 x 256 = 1024.
# frame_step (t_downsample): the paper speaks of 243 frames and compares with methods that take consecutive ones, so 1.
# Released code: 2 for Human3.6M, whose 243 frames then span 485 of the video; 1 for AMASS.
_windows = dict(type="PoseWindowDataset", store=["data/stores/h36m_train", "data/stores/amass_train"], window=243)
# The 3D that 2D is of comes with it, so that model.loss_lift_weight alone turns the third pretext task on.
_windows_2d = dict(**_windows, modalities=("2d", "3d"))
train_dataloader = dict(
    batch_size=256,
    num_workers=2,
    persistent_workers=True,
    pin_memory=True,
    sampler=dict(type="DefaultSampler", shuffle=True),
    collate_fn=dict(type="keep_batch"),
    dataset=dict(type="MaskedPoseDataset", dataset_2d=_windows_2d, dataset_3d=_windows),
)
