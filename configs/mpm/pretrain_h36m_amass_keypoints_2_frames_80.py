# Pre-training with 2 of 17 keypoints and 80 % of the frames hidden: a point of the paper's figure 6 and table C.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(data_preprocessor=dict(masking=dict(hidden_keypoints=2, frame_ratio=0.8)))
