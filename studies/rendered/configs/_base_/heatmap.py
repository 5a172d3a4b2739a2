# One heatmap per keypoint, of 128 x 160 px images: SimpleBaseline with a quarter of ResNet-18's channels, 0.9 M
# parameters.
# What MMPose's inferencers read.
data_mode, dataset_type = "topdown", "CocoDataset"
codec = dict(type="UDPHeatmap", input_size=(128, 160), heatmap_size=(32, 40), sigma=1.5)
model = dict(
    type="TopdownPoseEstimator",
    data_preprocessor=dict(
        type="PoseDataPreprocessor",
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=True,
    ),
    # Twice as fast on a CPU as a CSPNeXt of its size.
    backbone=dict(
        type="ResNet", depth=18, stem_channels=16, base_channels=16, strides=(1, 2, 2, 1), norm_cfg=dict(type="BN")
    ),
    head=dict(
        type="HeatmapHead",
        in_channels=128,
        out_channels=17,
        deconv_out_channels=(64, 64),
        deconv_kernel_sizes=(4, 4),
        loss=dict(type="KeypointMSELoss", use_target_weight=True, loss_weight=1000.0),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=False),  # a mirrored person would be lighter at the right
)
_load = [dict(type="LoadImage"), dict(type="GetBBoxCenterScale", padding=1.1)]
_crop = dict(type="TopdownAffine", input_size=(128, 160), use_udp=True)
train_pipeline = [
    *_load,
    dict(type="RandomBBoxTransform", shift_prob=0.5, scale_factor=(0.75, 1.25), rotate_factor=30, rotate_prob=0.5),
    _crop,
    dict(type="mmdet.YOLOXHSVRandomAug"),
    dict(type="GenerateTarget", encoder=codec),
    dict(type="PackPoseInputs"),
]
test_pipeline = [*_load, _crop, dict(type="PackPoseInputs")]
