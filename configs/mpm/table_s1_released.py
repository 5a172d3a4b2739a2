# Study S1: the strided decoder as released, whose residual path carries frame 0 of the window.
_base_ = ["table_6_2d_3d.py"]

model = dict(head=dict(align="first"))
