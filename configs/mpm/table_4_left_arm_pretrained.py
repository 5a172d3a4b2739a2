# Table 4 of the paper: as table_4_left_arm.py, by the pre-trained model without fine-tuning.
_base_ = ["completion_h36m_27_pretrained.py"]

model = dict(data_preprocessor=dict(masking=dict(patterns=[["left_arm"]])))
