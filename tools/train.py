"""Train a model: config to mmengine's Runner."""

import argparse
import os
from pathlib import Path

from command_line import existing_file, new_parser, read_config, run

#: Flag, the hook it adds, and what that does; the memory's before the compiler's, which compiles what is there.
HOOKS = {
    "--tf32": ("TF32Hook", "multiply float32 matrices in TF32 on a GPU"),
    "--save-memory": ("ActivationCheckpointHook", "compute temporal layers anew in the backward pass"),
    "--compile": ("CompileHook", "torch.compile backbone and decoders: for GPUs"),
}


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = new_parser(__doc__)
    parser.add_argument(
        "--resume",
        nargs="?",
        const="auto",
        type=lambda text: text if text == "auto" else existing_file(text),
        metavar="CHECKPOINT",
        help="go on from a checkpoint; without a value (or 'auto') from the last one in the work directory",
    )
    parser.add_argument("--amp", action="store_true", help="automatic mixed precision (needs CUDA)")
    for flag, (_, what) in HOOKS.items():
        parser.add_argument(flag, action="append_const", const=flag, dest="hooks", help=what)
    args = parser.parse_args()
    if args.amp:
        import torch

        if not torch.cuda.is_available():
            parser.error("--amp needs CUDA: mmengine's AmpOptimWrapper refuses to train elsewhere")
    return args


def main() -> None:
    """Build the Runner and train."""
    args = parse_args()

    work_dir = None

    def train() -> None:
        from mpm_mmpose.checkpoints.content_hook import check_before
        from mpm_mmpose.training.command_runner import CommandRunner
        from mpm_mmpose.training.work_dir_lock import lock_work_dir

        nonlocal work_dir
        cfg = read_config(args)
        work_dir = cfg.work_dir
        if args.amp:
            import torch

            cfg.optim_wrapper.type = "AmpOptimWrapper"
            dtype = cfg.optim_wrapper.setdefault("dtype", "bfloat16" if torch.cuda.is_bf16_supported() else "float16")
            # bfloat16 has the range of float32: nothing to scale.
            cfg.optim_wrapper.setdefault("loss_scale", 1.0 if dtype == "bfloat16" else "dynamic")
        added = [dict(type=hook) for flag, (hook, _) in HOOKS.items() if flag in (args.hooks or ())]
        cfg.custom_hooks = [*cfg.get("custom_hooks", []), *added]
        if args.resume:
            cfg.resume = True
            cfg.load_from = None if args.resume == "auto" else args.resume
        if cfg.get("load_from"):
            check_before(cfg)
        # As the hook does, too, once the Runner has written there; by the first process alone.
        if os.environ.get("SLURM_PROCID" if args.launcher == "slurm" else "RANK", "0") == "0":
            lock_work_dir(work_dir)
        CommandRunner.from_cfg(cfg).train()

    def if_interrupted() -> str:
        from mpm_mmpose.training.work_dir import kept_checkpoint, last_name

        if work_dir is None:
            return "interrupted before the training began"
        more = "; the same command with --resume goes on from it" if last_name(Path(work_dir)) else ""
        return f"interrupted: {kept_checkpoint(work_dir)}{more}"

    run(train, args.launcher, if_interrupted)


if __name__ == "__main__":
    main()
