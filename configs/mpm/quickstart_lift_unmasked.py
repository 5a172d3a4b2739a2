# quickstart_lift_occluded.py without masks: the same noise, but nothing is ever hidden. What masks are compared with.
_base_ = ["quickstart_lift_occluded.py"]

model = dict(
    data_preprocessor=dict(masking=None, augmentations=[dict(type="detector_noise", sigma=0.006, outliers=0.02)]),
    backbone=dict(mask_tokens=False),
)
