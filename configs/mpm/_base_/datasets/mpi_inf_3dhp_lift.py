# MPI-INF-3DHP in its own 17 keypoints: trained on S1 to S8, tested on the valid frames of TS1 to TS6. The converter
# says which ground truth is in the stores, annot3 or univ_annot3. batch_size is that of one process: 4 x 256 = 1024.
_loader = dict(num_workers=2, persistent_workers=True, pin_memory=True, collate_fn=dict(type="keep_batch"))
train_dataloader = dict(
    batch_size=256,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PoseWindowDataset", store="data/stores/mpi_inf_3dhp_train", window=81),
    **_loader,
)
val_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/mpi_inf_3dhp_test", window=81, test_mode=True),
    **_loader,
)
test_dataloader = val_dataloader
val_evaluator = dict(type="PoseErrorMetric", protocol="3dhp")
test_evaluator = val_evaluator
