# Human3.6M, all frames of a window are predicted; in test each frame is in one window. batch_size: 4 x 256 = 1024.
_loader = dict(num_workers=2, persistent_workers=True, pin_memory=True, collate_fn=dict(type="keep_batch"))
train_dataloader = dict(
    batch_size=256,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PoseWindowDataset", store="data/stores/h36m_train", window=27),
    **_loader,
)
val_dataloader = dict(
    batch_size=64,
    sampler=dict(type="DefaultSampler", shuffle=False),
    dataset=dict(type="PoseChunkDataset", store="data/stores/h36m_test", window=27, test_mode=True),
    **_loader,
)
test_dataloader = val_dataloader
val_evaluator = dict(type="PoseErrorMetric", protocol="h36m_p1")
test_evaluator = val_evaluator
