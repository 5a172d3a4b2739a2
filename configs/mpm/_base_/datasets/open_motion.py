# Free CMU motion: trained on windows of any camera, validated and tested on cameras from everywhere with exact 2D.
_loader = dict(num_workers=0, persistent_workers=False, collate_fn=dict(type="keep_batch"))
train_dataloader = dict(
    batch_size=64,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PoseWindowDataset", store="data/stores/open_train", window=27),
    **_loader,
)
val_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/open_val_noisy", window=27, test_mode=True),
    **_loader,
)
test_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/open_test", window=27, test_mode=True),
    **_loader,
)
val_evaluator = dict(type="PoseErrorMetric")
test_evaluator = val_evaluator
