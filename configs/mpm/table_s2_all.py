# Study S2: lifting after pre-training with the loss on all keypoints, as released.
_base_ = ["table_6_2d_3d.py"]
