# Study S1: as table_s1_released.py, without pre-training.
_base_ = ["table_6_scratch.py"]

model = dict(head=dict(align="first"))
