# Completion with the pre-trained encoder and decoder as they are, without fine-tuning: only tested.
_base_ = ["completion_h36m_27.py"]

model = dict(head=dict(depth=1))
load_from = "work_dirs/pretrain_h36m_amass_27/epoch_15.pth"
