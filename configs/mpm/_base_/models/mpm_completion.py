# Stage II with masked keypoints, 27 frames: mask tokens in the backbone, and the masked-pose head, which completes.
# Leaves say what is shown (type of the preprocessor, inputs), what is masked of it (masking) and what is put out.
# Released code: depth=3 in the backbone.
model = dict(
    type="PoseLifter",
    data_preprocessor=dict(type="LiftingPreprocessor", flip=True),
    backbone=dict(type="MPMBackbone", num_frames=27),
    head=dict(type="CompletionHead", num_frames=27),
    test_cfg=dict(flip_test=False, output="sequence"),
)
