# Table 4 of the paper: completion of 3D, left arm hidden. Only tested.
_base_ = ["completion_h36m_27.py"]

model = dict(data_preprocessor=dict(masking=dict(patterns=[["left_arm"]])))
load_from = "work_dirs/completion_h36m_27/epoch_40.pth"
