# Motion capture clips seen by virtual cameras (tools/dataset_converters/mocap.py).
_loader = dict(num_workers=2, persistent_workers=True, collate_fn=dict(type="keep_batch"))
train_dataloader = dict(
    batch_size=1024,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PoseWindowDataset", store="data/stores/mocap_train", window=27),
    **_loader,
)
val_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/mocap_val", window=27, test_mode=True),
    **_loader,
)
test_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/mocap_test", window=27, test_mode=True),
    **_loader,
)
val_evaluator = dict(type="PoseErrorMetric")
test_evaluator = val_evaluator
