# A small RTMPose for people that tools/render_people.py draws: minutes on one CPU core, and Human3.6M's keypoints.
_base_ = ["../_base_/default_runtime.py"]

data_mode = "topdown"
input_size = (128, 160)
codec = dict(
    type="SimCCLabel",
    input_size=input_size,
    sigma=(4.0, 4.5),
    simcc_split_ratio=2.0,
    normalize=False,
    use_dark=False,
)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    # Twice as fast on a CPU as a CSPNeXt of its size. Stride 16: SimCC reads positions from what is left of the image.
    backbone=dict(
        type="ResNet", depth=18, stem_channels=16, base_channels=16, strides=(1, 2, 2, 1), norm_cfg=dict(type="BN")
    ),
    head=dict(
        type="RTMCCHead",
        in_channels=128,
        out_channels=17,
        input_size=input_size,
        in_featuremap_size=tuple(size // 16 for size in input_size),
        simcc_split_ratio=2.0,
        final_layer_kernel_size=7,
        gau_cfg=dict(
            hidden_dims=256,
            s=128,
            expansion_factor=2,
            dropout_rate=0.0,
            drop_path=0.0,
            act_fn="SiLU",
            use_rel_bias=False,
            pos_enc=False,
        ),
        loss=dict(type="KLDiscretLoss", use_target_weight=True, beta=10.0, label_softmax=True),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=True),
)

train_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.1),
    dict(type="RandomFlip", direction="horizontal"),
    dict(type="RandomBBoxTransform", shift_prob=0.5, scale_factor=(0.75, 1.25), rotate_factor=30, rotate_prob=0.5),
    dict(type="TopdownAffine", input_size=input_size),
    dict(type="mmdet.YOLOXHSVRandomAug"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
test_pipeline = [
    dict(type="LoadImage"),
    dict(type="GetBBoxCenterScale", padding=1.1),
    dict(type="TopdownAffine", input_size=input_size),
    dict(type="PackPoseInputs"),
]
dataset_type = "CocoDataset"
dataset = dict(
    type=dataset_type,
    data_mode=data_mode,
    metainfo=dict(from_file="{{ fileDirname }}/keypoints.py"),
    ann_file="annotations.json",
    data_prefix=dict(img="images/"),
)
train_dataloader = dict(
    batch_size=32,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=True),
    dataset=dict(data_root="data/rendered/train", pipeline=train_pipeline, **dataset),
)
val_dataloader = dict(
    batch_size=64,
    num_workers=0,
    sampler=dict(type="DefaultSampler", shuffle=False, round_up=False),
    dataset=dict(data_root="data/rendered/val", pipeline=test_pipeline, test_mode=True, **dataset),
)
test_dataloader = val_dataloader
# Shares of the person's box, and px of the image.
val_evaluator = [dict(type="PCKAccuracy", thr=0.05), dict(type="EPE")]
test_evaluator = val_evaluator

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=5, val_interval=1)
val_cfg = dict()
test_cfg = dict()
optim_wrapper = dict(
    type="OptimWrapper",
    optimizer=dict(type="AdamW", lr=1.5e-3, weight_decay=0.01),
    paramwise_cfg=dict(norm_decay_mult=0, bias_decay_mult=0, bypass_duplicate=True),
    clip_grad=dict(max_norm=35),
)
param_scheduler = [
    dict(type="LinearLR", start_factor=1e-3, by_epoch=False, begin=0, end=200),
    dict(type="CosineAnnealingLR", by_epoch=True, begin=0, T_max=5, eta_min=1e-5, convert_to_iter_based=True),
]
default_hooks = dict(
    logger=dict(interval=25), checkpoint=dict(interval=1, max_keep_ckpts=1, save_best="EPE", rule="less")
)
# What is tested is an average of the last some hundred steps' weights.
custom_hooks = [
    dict(type="RandomStateHook"),
    dict(type="EMAHook", ema_type="ExpMomentumEMA", momentum=0.002, update_buffers=True, priority=49),
]
# What MMPose's inferencers draw with.
visualizer = dict(type="PoseLocalVisualizer")
