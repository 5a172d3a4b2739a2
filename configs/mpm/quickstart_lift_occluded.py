# Half the width of lift_mocap_27_occluded.py, from scratch, in some ten minutes on two CPU cores; the figures of
# inference are made with it. Validation and test mask as training does.
_base_ = ["lift_mocap_27_occluded.py"]

model = dict(
    backbone=dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0, mlp_drop=0.0, init_cfg=None),
    head=dict(channels=128, hidden_channels=256, drop=0.0, attn_drop=0.0),
)
train_dataloader = dict(batch_size=64, num_workers=0, persistent_workers=False, dataset=dict(max_windows=256000))
val_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(max_windows=20000))
test_dataloader = dict(num_workers=0, persistent_workers=False, dataset=dict(max_windows=20000))
train_cfg = dict(max_epochs=1)

optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [
    dict(type="LinearLR", start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type="CosineAnnealingLR", by_epoch=True, convert_to_iter_based=True),
]
