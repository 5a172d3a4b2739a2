# Lifting on motion capture clips that stays right where keypoints or whole frames are missing: for videos.
# Most windows miss random keypoints, limbs, half the body or all of it for a while; on top, a detector's noise, and
# keypoints that come and go one by one: a model does badly where what is missing is unlike its training.
_base_ = ["lift_mocap_27.py"]

_limbs = ["right_leg", "left_leg", "right_arm", "left_arm"]
_patterns = [0, 0, 0, 0, 1, 2, 5, 17, ["right_leg", "left_leg"], ["right_arm", "left_arm"]]
_patterns += [[limb] for limb in _limbs]
model = dict(
    data_preprocessor=dict(
        masking=dict(type="tube", patterns=_patterns, stretch=(1, 26)),
        augmentations=[
            dict(type="detector_noise", sigma=0.006, outliers=0.02, missed=0.02, occluded=0.3, occluded_frames=(3, 54))
        ],
    ),
    backbone=dict(mask_tokens=True, tokens_per_keypoint=True),
)
