# Study S1: as table_s1_centre.py, without pre-training.
_base_ = ["table_6_scratch.py"]
