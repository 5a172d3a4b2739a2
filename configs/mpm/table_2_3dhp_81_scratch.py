# Table 2 of the paper's data and protocol, without pre-training; 3 temporal layers as released for MPI-INF-3DHP.
_base_ = ["lift_3dhp_81.py"]

model = dict(data_preprocessor=dict(keypoint_set="h36m_17"), backbone=dict(depth=3), head=dict(root=0))
train_dataloader = dict(dataset=dict(keypoint_set="h36m_17"))
val_dataloader = dict(dataset=dict(keypoint_set="h36m_17"))
test_dataloader = dict(dataset=dict(keypoint_set="h36m_17"))
val_evaluator = dict(protocol="3dhp")
test_evaluator = val_evaluator
