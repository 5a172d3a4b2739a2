# For real footage of any camera: rays in, seen by a camera turned to the person, their trunk upright in it; a learned
# say in the noisy 2D; whole windows out. Detectors and motion capture mean other places by pelvis, spine, thorax, nose
# and head top, so these are never shown (ignored). Training cameras are anywhere around the person; bodies and errors
# of 2D vary, bodies about the mean of all people of the motion (one person's recordings may be many).
model = dict(
    type="PoseLifter",
    data_preprocessor=dict(
        type="RayPreprocessor",
        flip=True,
        mask_unknown=True,
        augmentations=[
            dict(type="body_proportions", body=(0.89, 1.09), limb=(0.88, 1.12), bone=(0.91, 1.09)),
            dict(type="surrounding_camera"),
            dict(type="guessed_focal", deviation=0.15),
            dict(
                type="person_noise",
                strength=(0.25, 2.0),
                offset=0.02,
                drift=0.012,
                jitter=0.008,
                outliers=0.01,
                exchanged=0.02,
                missed=0.02,
                occluded=0.06,
                absent=0.2,
                occluded_half=0.2,
                frames=(5, 60),
            ),
        ],
    ),
    backbone=dict(
        type="PersonBackbone",
        num_frames=27,
        depth=8,
        upright=((11, 14), (1, 4)),
        temporal="mixer",
        ignored=(0, 7, 8, 9, 10),
        drop=0.0,
        mlp_drop=0.0,
    ),
    head=dict(type="PersonSequenceHead", num_frames=27, bone_weight=0.5),
    test_cfg=dict(flip_test=True),  # as all that lifts videos does
)
