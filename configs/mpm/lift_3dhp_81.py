# Lifting on MPI-INF-3DHP, 81 frames, from scratch. bash tools/dist_train.sh configs/mpm/lift_3dhp_81.py 4
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
# Validation clips are the test clips of all papers, so no checkpoint is chosen by them: report the last one.
default_hooks = dict(checkpoint=dict(save_best=None))
