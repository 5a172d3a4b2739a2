# A small 2D model of rendered people (render_people.py): minutes on one CPU core, and Human3.6M's keypoints.
_base_ = ["../../../configs/mpm/_base_/default_runtime.py", "_base_/rendered_people.py", "_base_/heatmap.py"]

_people = dict(data_mode="topdown", metainfo=dict(from_file="{{ fileDirname }}/_base_/keypoints.py"))
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}, **_people))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}, **_people))
test_dataloader = val_dataloader
# Shares of the person's box, and px of the image.
val_evaluator = [dict(type="PCKAccuracy", thr=0.05), dict(type="EPE")]
test_evaluator = val_evaluator

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=5, val_interval=1)
default_hooks = dict(
    logger=dict(interval=25), checkpoint=dict(interval=1, max_keep_ckpts=1, save_best="EPE", rule="less")
)
# What is tested is an average of the last some hundred steps' weights.
custom_hooks = [
    dict(type="mmpose.RandomStateHook"),
    dict(type="EMAHook", ema_type="ExpMomentumEMA", momentum=0.003, update_buffers=True, priority=49),
]
# What MMPose's inferencers draw with.
visualizer = dict(type="PoseLocalVisualizer")
