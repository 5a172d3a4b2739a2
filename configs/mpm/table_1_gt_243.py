# Table 1 of the paper: Human3.6M, true 2D, 243 frames.
_base_ = ["lift_h36m_gt_243.py"]
