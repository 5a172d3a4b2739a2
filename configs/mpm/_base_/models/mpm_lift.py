# Stage II, 27 frames; leaves change num_frames and strides together with the window of their data.
# Released code: mlp_drop=0.2 in the backbone. align="first" in the head, which carries frame 0 instead of the target.
model = dict(
    type="PoseLifter",
    data_preprocessor=dict(type="LiftingPreprocessor", flip=True),
    backbone=dict(type="MPMBackbone", num_frames=27, inputs=("2d",), mask_tokens=False),
    head=dict(type="LiftingHead", num_frames=27, strides=(3, 3, 3)),
    test_cfg=dict(flip_test=False),
)
