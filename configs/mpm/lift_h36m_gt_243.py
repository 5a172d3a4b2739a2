# Lifting of true 2D: stores of tools/dataset_converters/h36m.py with data_2d_h36m_gt.npz.
_base_ = ["lift_h36m_243.py"]

train_dataloader = dict(dataset=dict(store="data/stores/h36m_gt_train"))
val_dataloader = dict(dataset=dict(store="data/stores/h36m_gt_test"))
test_dataloader = dict(dataset=dict(store="data/stores/h36m_gt_test"))
