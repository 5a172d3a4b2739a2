# Stage II, 27 frames; leaves change num_frames and strides together with the window of their data.
# Released code: mlp_drop=0.2 in the backbone. align="centre" in the head carries the target frame instead of frame 0.
model = dict(
    type="PoseLifter",
    data_preprocessor=dict(type="LiftingPreprocessor", flip=True),
    backbone=dict(type="MPMBackbone", num_frames=27, inputs=("2d",), mask_tokens=False),
    head=dict(type="LiftingHead", num_frames=27, strides=(3, 3, 3)),
    test_cfg=dict(flip_test=False),
)
