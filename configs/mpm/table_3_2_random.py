# Table 3 of the paper: lifting of 2D with hidden keypoints, 2 random. Only tested.
_base_ = ["occluded_2d_h36m_27.py"]

model = dict(data_preprocessor=dict(masking=dict(patterns=[2])))
load_from = "work_dirs/occluded_2d_h36m_27/epoch_40.pth"
