# Stage I, 27 frames; leaves change num_frames of backbone and head together with the window of their data.
# Released code: loss_2d_weight=5, loss_3d_weight=2, encode_masked_frames=True in the backbone.
model = dict(
    type="MaskedPoseEstimator",
    data_preprocessor=dict(
        type="PretrainPreprocessor",
        masking=dict(type="spatio_temporal", masked_keypoints=5, frame_ratio=0.6),
        flip=True,
    ),
    backbone=dict(type="MPMBackbone", num_frames=27),
    head=dict(type="MaskedPoseHead", num_frames=27),
    loss_2d_weight=2.0,
    loss_3d_weight=3.0,
)
