"""Train a model: config to mmengine's Runner."""

import argparse

from command_line import existing_file, new_parser, read_config, run


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
    parser.add_argument("--compile", action="store_true", help="torch.compile backbone and decoders: for GPUs")
    args = parser.parse_args()
    if args.amp:
        import torch

        if not torch.cuda.is_available():
            parser.error("--amp needs CUDA: mmengine's AmpOptimWrapper refuses to train elsewhere")
    return args


def main() -> None:
    """Build the Runner and train."""
    args = parse_args()

    def train() -> None:
        from mmengine.runner import Runner

        cfg = read_config(args)
        if args.amp:
            cfg.optim_wrapper.type = "AmpOptimWrapper"
            cfg.optim_wrapper.setdefault("loss_scale", "dynamic")
        if args.compile:
            cfg.custom_hooks = [*cfg.get("custom_hooks", []), dict(type="CompileHook")]
        if args.resume:
            cfg.resume = True
            cfg.load_from = None if args.resume == "auto" else args.resume
        Runner.from_cfg(cfg).train()

    run(train, args.launcher, "interrupted: the same command with --resume goes on from the last checkpoint")


if __name__ == "__main__":
    main()
