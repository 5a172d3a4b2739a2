# Pre-training with spatial masks, so many keypoints in all frames; table B of the paper. Their share is that
# of the spatio-temporal masks (5 of 17 keypoints in 60 % of the frames); what the paper took here is not known.
_base_ = ["pretrain_h36m_amass.py"]

model = dict(data_preprocessor=dict(masking=dict(_delete_=True, type="spatial", ratio=0.718)))
