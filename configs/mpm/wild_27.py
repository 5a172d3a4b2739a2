# A lifter for real footage.
_base_ = [
    "_base_/default_runtime.py",
    "_base_/models/wild.py",
    "_base_/datasets/open_motion.py",
    "_base_/schedules/wild.py",
]
