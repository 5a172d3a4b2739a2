# What tools/quickstart.py pre-trains in minutes on 2 CPU cores; it sets stores and budget.
_base_ = ["pretrain_mocap_27_whitened.py"]

# Half the width, and no dropout: a short run does not overfit, and drawing it costs a fifth of a step.
model = dict(
    backbone=dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0, mlp_drop=0.0),
    head=dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0),
)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(dataset_2d=dict(max_windows=12800), dataset_3d=dict(max_windows=12800)),
)
train_cfg = dict(max_epochs=5)
default_hooks = dict(logger=dict(interval=10))

# A short budget wants warm-up and a rate that ends at zero.
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True),
]
