# Table 2 of the paper: MPI-INF-3DHP after pre-training, in Human3.6M's keypoints; the data know no nose.
_base_ = ["table_2_3dhp_81_scratch.py"]

model = dict(
    backbone=dict(
        init_cfg=dict(
            type="Pretrained", checkpoint="work_dirs/pretrain_h36m_3dhp_amass_81/epoch_15.pth", prefix="backbone."
        )
    )
)
