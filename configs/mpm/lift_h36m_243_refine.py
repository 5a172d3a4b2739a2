# Refinement of a trained lifter (paper section 4.2). It is given the true depth of the root, in test as well: its
# figures are not those of a lifter that sees 2D alone. 1e-4 is the released code's rate.
_base_ = ["lift_h36m_243.py"]

_lifter = dict(type="Pretrained", checkpoint="work_dirs/lift_h36m_243/epoch_40.pth")
model = dict(
    backbone=dict(init_cfg=dict(prefix="backbone.", **_lifter)),
    head=dict(type="RefinedLiftingHead", init_cfg=dict(prefix="head.", **_lifter)),
)
optim_wrapper = dict(optimizer=dict(lr=1e-4))
