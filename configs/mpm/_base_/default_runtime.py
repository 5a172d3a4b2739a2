# Everything that is the same for every experiment.
default_scope = "mmpose"
custom_imports = dict(imports=["mpm_mmpose.register"], allow_failed_imports=False)

# Ours by their full names: the detector's scope is MMDetection's.
default_hooks = dict(
    work_dir=dict(type="mmpose.WorkDirHook"),
    runtime_info=dict(type="mmpose.DeferredRuntimeInfoHook"),
    timer=dict(type="IterTimerHook"),
    logger=dict(type="LoggerHook", interval=50),
    param_scheduler=dict(type="ParamSchedulerHook"),
    sampler_seed=dict(type="DistSamplerSeedHook"),
    data_workers=dict(type="mmpose.DataWorkersHook"),
    checkpoint=dict(
        type="mmpose.ResumableCheckpointHook",
        interval=1,
        max_keep_ckpts=2,
        # Where the config validates. Leaves of the paper's data sets say None: they validate on the test clips of all
        # papers, by which no checkpoint may be chosen, so the last one is reported.
        save_best="pose/mpjpe",
        rule="less",
        # An interrupt while saving leaves the previous checkpoint whole.
        backend_args=dict(backend="atomic_local"),
    ),
)
# A resumed run goes on with the random numbers of the stopped one, and in the part of a mixture where it was;
# checkpoints say what they are and are data; a new model starts at the mean pose of its training data.
custom_hooks = [
    dict(type="RandomStateHook"),
    dict(type="DatasetEpochHook"),
    dict(type="CheckpointContentHook"),
    dict(type="TrainingStatisticsHook"),
]

# The sampler's order follows this seed; ranks draw different dropout. Preprocessors have a seed of their own.
randomness = dict(seed=0, diff_rank_seed=True)

# NCCL on GPUs; without CUDA tools/train.py and tools/test.py take gloo.
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method="fork", opencv_num_threads=0),
    dist_cfg=dict(backend="nccl"),
)
# BatchNorm statistics are those of all ranks, so buffers need no broadcast.
model_wrapper_cfg = dict(type="MPMDistributedDataParallel", sync_batchnorm=True, broadcast_buffers=False)

# Without a name of its own it takes the experiment's, so that runs of one process log apart.
visualizer = dict(type="Visualizer", vis_backends=[dict(type="LocalVisBackend")])
log_processor = dict(type="LogProcessor", window_size=50, by_epoch=True, num_digits=5)
log_level = "INFO"
load_from = None
resume = False
