# AdamW, warm-up and a cosine to zero, in steps.
train_cfg = dict(by_epoch=True, max_epochs=26, val_interval=2)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type="Bfloat16OptimWrapper",
    optimizer=dict(type="AdamW", lr=1e-3, weight_decay=0.01, fused=True),
    clip_grad=dict(max_norm=1.0),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True),
]
