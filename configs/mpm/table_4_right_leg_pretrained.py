# Table 4 of the paper: as table_4_right_leg.py, by the pre-trained model without fine-tuning.
_base_ = ["completion_h36m_27_pretrained.py"]

model = dict(data_preprocessor=dict(masking=dict(patterns=[["right_leg"]])))
