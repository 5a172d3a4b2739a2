# Images of studies/rendered/render_people.py in COCO's layout, for a 2D model and for a detector.
_annotations = dict(type="CocoDataset", ann_file="annotations.json", data_prefix=dict(img="images/"))
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(data_root="data/rendered/train", **_annotations),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(data_root="data/rendered/val", test_mode=True, **_annotations),
)
test_dataloader = val_dataloader

val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=2e-3, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-3, by_epoch=False, begin=0, end=200),
    dict(type="CosineAnnealingLR", by_epoch=True, begin=0, eta_min=1e-5, convert_to_iter_based=True),
]
