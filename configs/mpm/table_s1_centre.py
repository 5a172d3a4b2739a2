# Study S1: the strided decoder whose residual path carries the target frame.
_base_ = ["table_6_2d_3d.py"]

model = dict(head=dict(align="centre"))
