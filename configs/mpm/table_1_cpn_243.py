# Table 1 of the paper: Human3.6M, 2D of CPN, 243 frames.
_base_ = ["lift_h36m_243.py"]
