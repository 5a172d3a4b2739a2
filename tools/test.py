"""Test a checkpoint: config to mmengine's Runner, errors in millimetres."""

from command_line import existing_file, new_parser, read_config, run


def main() -> None:
    """Build the Runner and test."""
    parser = new_parser(__doc__)
    parser.add_argument(
        "checkpoint", type=existing_file, help="checkpoint file, for example work_dirs/.../epoch_40.pth"
    )
    parser.add_argument("--dump", metavar="FILE.npz", help="write predictions and ground truth, for tools/visualize.py")
    args = parser.parse_args()

    def test() -> None:
        from mpm_mmpose.checkpoints.content_hook import check_before
        from mpm_mmpose.training.command_runner import CommandRunner

        cfg = read_config(args)
        cfg.load_from = args.checkpoint
        if args.dump:
            if not isinstance(cfg.test_evaluator, dict):
                parser.error("--dump: the config has several evaluators; give dump=... to one PoseErrorMetric of them")
            cfg.test_evaluator.dump = args.dump
        check_before(cfg)
        CommandRunner.from_cfg(cfg).test()

    run(test, args.launcher)


if __name__ == "__main__":
    main()
