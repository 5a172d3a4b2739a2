# Finds people in 160 x 160 px images: RTMDet with a quarter of ResNet-18's channels.
model = dict(
    type="RTMDet",
    data_preprocessor=dict(
        type="DetDataPreprocessor", mean=[103.53, 116.28, 123.675], std=[57.375, 57.12, 58.395], bgr_to_rgb=False
    ),
    backbone=dict(
        type="ResNet", depth=18, stem_channels=16, base_channels=16, out_indices=(1, 2, 3), norm_cfg=dict(type="BN")
    ),
    neck=dict(
        type="CSPNeXtPAFPN",
        in_channels=[32, 64, 128],
        out_channels=48,
        num_csp_blocks=1,
        expand_ratio=0.5,
        norm_cfg=dict(type="BN"),
        act_cfg=dict(type="SiLU", inplace=True),
    ),
    bbox_head=dict(
        type="RTMDetSepBNHead",
        num_classes=1,
        in_channels=48,
        feat_channels=48,
        stacked_convs=1,
        anchor_generator=dict(type="MlvlPointGenerator", offset=0, strides=[8, 16, 32]),
        bbox_coder=dict(type="DistancePointBBoxCoder"),
        loss_cls=dict(type="QualityFocalLoss", use_sigmoid=True, beta=2.0, loss_weight=1.0),
        loss_bbox=dict(type="GIoULoss", loss_weight=2.0),
        with_objectness=False,
        exp_on_reg=False,
        share_conv=True,
        pred_kernel_size=1,
        norm_cfg=dict(type="BN"),
        act_cfg=dict(type="SiLU", inplace=True),
    ),
    train_cfg=dict(
        assigner=dict(type="DynamicSoftLabelAssigner", topk=13), allowed_border=-1, pos_weight=-1, debug=False
    ),
    test_cfg=dict(
        nms_pre=1000, min_bbox_size=0, score_thr=0.05, nms=dict(type="nms", iou_threshold=0.6), max_per_img=20
    ),
)

_grey = dict(img=(114, 114, 114))
train_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="RandomResize", scale=(160, 160), ratio_range=(0.5, 1.2), keep_ratio=True),
    dict(type="RandomCrop", crop_size=(160, 160)),
    dict(type="YOLOXHSVRandomAug"),
    dict(type="RandomFlip", prob=0.5),
    dict(type="Pad", size=(160, 160), pad_val=_grey),
    dict(type="PackDetInputs"),
]
test_pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(160, 160), keep_ratio=True),
    dict(type="Pad", size=(160, 160), pad_val=_grey),
    dict(type="LoadAnnotations", with_bbox=True),
    dict(type="PackDetInputs", meta_keys=("img_id", "img_path", "ori_shape", "img_shape", "scale_factor", "instances")),
]
