# A small RTMDet that finds the one person in rendered images (render_people.py): minutes on one CPU core.
_base_ = ["../../../configs/mpm/_base_/default_runtime.py", "_base_/rendered_people.py", "_base_/rtmdet.py"]
default_scope = "mmdet"

_people = dict(metainfo=dict(classes=("person",)))
train_dataloader = dict(dataset=dict(pipeline={{_base_.train_pipeline}}, **_people))
val_dataloader = dict(dataset=dict(pipeline={{_base_.test_pipeline}}, **_people))
test_dataloader = val_dataloader
val_evaluator = dict(type="CocoMetric", metric="bbox")
test_evaluator = val_evaluator

train_cfg = dict(type="EpochBasedTrainLoop", max_epochs=4, val_interval=1)
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(interval=1, max_keep_ckpts=1, save_best="coco/bbox_mAP", rule="greater"),
)
# What is tested is an average of the last some hundred steps' weights.
custom_hooks = [
    dict(type="mmpose.RandomStateHook"),
    dict(type="EMAHook", ema_type="mmdet.ExpMomentumEMA", momentum=0.003, update_buffers=True, priority=49),
]
visualizer = dict(type="DetLocalVisualizer")
