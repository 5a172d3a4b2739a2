# Human3.6M's keypoints as MMPose has them, with the sigmas that it leaves out: COCO's of the hips for all of them.
_base_ = ["mmpose::_base_/datasets/h36m.py"]
dataset_info = dict(sigmas=[0.107] * 17)
