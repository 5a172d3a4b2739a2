# ../lift_h36m_243.py as MMPose's own inferencer and demo want it: the same model and weights, with their data set,
# codec and visualiser. For another config change _base_ and seq_len. What is lost: docs/inference_demo.md.
_base_ = ["../lift_h36m_243.py"]

_codec = dict(type="VideoPoseLifting", num_keypoints=17, reshape_keypoints=False)
_pipeline = [
    dict(type="GenerateTarget", encoder=_codec),
    dict(type="PackPoseInputs", meta_keys=("id", "target_img_path", "flip_indices", "target_root")),
]
_dataset = dict(_delete_=True, type="Human36mDataset", seq_len=243, causal=False, pipeline=_pipeline)
model = dict(data_preprocessor=dict(_delete_=True, type="mmengine.BaseDataPreprocessor"))
train_dataloader = dict(dataset=_dataset)
test_dataloader = dict(dataset=_dataset, collate_fn="pseudo_collate")
visualizer = dict(
    _delete_=True, type="Pose3dLocalVisualizer", name="visualizer", vis_backends=[dict(type="LocalVisBackend")]
)
