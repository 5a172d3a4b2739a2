# Human3.6M: trained on S1, S5, S6, S7, S8, tested on S9, S11. batch_size is that of one process: 4 x 256 = 1024.
# frame_step (t_downsample) is 1, see h36m_amass_pretrain.py; weights converted from the released ones want 2.
_loader = dict(num_workers=2, persistent_workers=True, pin_memory=True, collate_fn=dict(type="keep_batch"))
train_dataloader = dict(
    batch_size=256,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(type="PoseWindowDataset", store="data/stores/h36m_train", window=243),
    **_loader,
)
val_dataloader = dict(
    batch_size=512,
    sampler=dict(type="ContiguousSampler"),
    dataset=dict(type="PoseWindowDataset", store="data/stores/h36m_test", window=243, test_mode=True),
    **_loader,
)
test_dataloader = val_dataloader
val_evaluator = dict(type="PoseErrorMetric", protocol="h36m_p1", headline=("mpjpe", "p_mpjpe"))
test_evaluator = val_evaluator
