# Stage II of the paper, section 4.2: AdamW, 1.6e-3, factor 0.97 an epoch, 40 epochs on Human3.6M, 100 on MPI-INF-3DHP.
# The paper gives no batch size: 1024 windows over all processes are the released code's.
# Released code: Adam(amsgrad=True) at 7e-4 without weight decay, 49 epochs.
train_cfg = dict(by_epoch=True, max_epochs=40, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(type="OptimWrapper", optimizer=dict(type="AdamW", lr=1.6e-3, fused=True))
# An open end: mmengine would write max_epochs into the checkpoint and stop there when a run is resumed for longer.
param_scheduler = [dict(type="ExponentialLR", gamma=0.97, by_epoch=True, end=10**9)]
auto_scale_lr = dict(base_batch_size=1024, enable=False)
