# lift_mocap_27.py with the training store on the training device: windows, flips and masks are cut there, so that
# nobody waits for a loader. 20 bytes a keypoint and frame: a store of 3.6 million frames takes 1.2 GB.
_base_ = ["lift_mocap_27.py"]

train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(type="DevicePoseWindowDataset"),
)
