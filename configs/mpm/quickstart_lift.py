# What tools/quickstart.py fine-tunes in minutes on 2 CPU cores; it sets stores, budget and init_cfg.
_base_ = ["lift_mocap_27.py"]

model = dict(
    backbone=dict(
        place_apart=True, channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0, mlp_drop=0.0, init_cfg=None
    ),
    head=dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0),
)
train_dataloader = dict(batch_size=64, num_workers=0, persistent_workers=False, dataset=dict(max_windows=12800))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(max_windows=2048))
test_dataloader = dict(num_workers=0, persistent_workers=False)
train_cfg = dict(max_epochs=5)
default_hooks = dict(logger=dict(interval=10))

# A short budget wants warm-up and a rate that ends at zero.
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=20),
    dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True),
]
