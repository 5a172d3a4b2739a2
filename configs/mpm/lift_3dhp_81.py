# Lifting on MPI-INF-3DHP in its own keypoints, 81 frames, from scratch; 100 epochs as the paper (section 4.2).
# The paper's table 2 starts from pre-training: tools/reproduce.py --table 2. Released code: depth=3 in the backbone.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/mpm_lift.py",
    "_base_/datasets/mpi_inf_3dhp_lift.py",
    "_base_/schedules/lift.py",
]

model = dict(
    data_preprocessor=dict(keypoint_set="mpi_inf_3dhp_17"),
    backbone=dict(num_frames=81),
    # The pelvis is keypoint 14 there.
    head=dict(num_frames=81, strides=(3, 3, 3, 3), root=14),
)
train_cfg = dict(max_epochs=100)
default_hooks = dict(checkpoint=dict(save_best=None))
