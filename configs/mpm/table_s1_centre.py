# Study S1: the strided decoder whose residual path carries the target frame, as everywhere here.
_base_ = ["table_6_2d_3d.py"]
