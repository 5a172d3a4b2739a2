# Lifting on motion capture clips that stays right where keypoints or whole frames are missing: for videos.
# A third of the windows is whole; the others miss random keypoints, limbs, half the body or all of it, for a while.
_base_ = ["lift_mocap_27.py"]

_limbs = ["right_leg", "left_leg", "right_arm", "left_arm"]
_patterns = [0, 0, 0, 0, 1, 2, 5, 17, ["right_leg", "left_leg"], ["right_arm", "left_arm"]]
_patterns += [[limb] for limb in _limbs]
model = dict(
    data_preprocessor=dict(masking=dict(type="tube", patterns=_patterns, stretch=(1, 26))),
    backbone=dict(mask_tokens=True),
)
