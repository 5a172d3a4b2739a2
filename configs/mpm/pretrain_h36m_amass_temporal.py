# Pre-training with temporal masks, so many whole frames; the paper's table B. The share that is hidden is that
# of the spatio-temporal masks (5 of 17 keypoints in 60 % of the frames); what the paper took here is not known.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(data_preprocessor=dict(masking=dict(_delete_=True, type="temporal", ratio=0.718)))
