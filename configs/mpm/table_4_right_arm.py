# Table 4 of the paper: completion of 3D, right arm hidden. Only tested.
_base_ = ["completion_h36m_27.py"]

model = dict(data_preprocessor=dict(masking=dict(patterns=[["right_arm"]])))
load_from = "work_dirs/completion_h36m_27/epoch_40.pth"
