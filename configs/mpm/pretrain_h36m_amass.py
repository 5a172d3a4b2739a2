# Pre-training of the paper. bash tools/dist_train.sh configs/mpm/pretrain_h36m_amass.py 4
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_pretrain.py",
    "_base_/datasets/h36m_amass_pretrain.py",
    "_base_/schedules/pretrain.py",
]

model = dict(backbone=dict(num_frames=243), head=dict(num_frames=243))
