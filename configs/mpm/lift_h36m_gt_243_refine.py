# As lift_h36m_243_refine.py, with true 2D.
_base_ = ["lift_h36m_gt_243.py"]

_lifter = dict(type="Pretrained", checkpoint="work_dirs/lift_h36m_gt_243/epoch_40.pth")
model = dict(
    backbone=dict(init_cfg=dict(prefix="backbone.", **_lifter)),
    head=dict(type="RefinedLiftingHead", init_cfg=dict(prefix="head.", **_lifter)),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
