"""What train.py and test.py share: arguments, config, errors. Nothing heavy is imported before it is needed."""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mpm_mmpose.option_parser import OptionParser

if TYPE_CHECKING:
    from mmengine.config import Config


class _ConfigOptions(argparse.Action):
    # mmengine's DictAction, imported when the option is used: `--help` answers without importing torch.
    def __call__(self, parser, namespace, values, option_string=None) -> None:
        from mmengine.config import DictAction

        if without := [value for value in values if "=" not in value]:
            raise argparse.ArgumentError(self, f"expected KEY=VALUE, got {without[0]!r}")
        DictAction(self.option_strings, self.dest)(parser, namespace, values, option_string)


def existing_file(text: str) -> str:
    """Return the path of a file that exists, for `type=` of an argument."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"no such file: {text}")
    return text


def new_parser(description: str) -> argparse.ArgumentParser:
    """Return a parser with the arguments of both tools."""
    parser = OptionParser(description=description)
    parser.add_argument("config", type=existing_file, help="config file, for example configs/mpm/lift_mocap_27.py")
    parser.add_argument("--work-dir", help="folder of logs and checkpoints (default: work_dirs/<name of the config>)")
    parser.add_argument(
        "--cfg-options", nargs="+", action=_ConfigOptions, default={}, metavar="KEY=VALUE", help="change config fields"
    )
    parser.add_argument(
        "--launcher", choices=("none", "pytorch", "slurm"), default="none", help="what started the processes, if any"
    )
    return parser


def read_config(args: argparse.Namespace) -> "Config":
    """Read the config and merge the arguments of both tools into it; what the command line says wins."""
    from mmengine.config import Config

    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or str(Path("work_dirs") / Path(args.config).stem)
    # Also where a config has hooks of its own: without it a resumed run believes what a checkpoint says.
    hooks = cfg.get("custom_hooks") or []
    if not any(str(hook.get("type")).endswith("CheckpointContentHook") for hook in hooks):
        cfg.custom_hooks = [*hooks, dict(type="mmpose.CheckpointContentHook")]
    return cfg


def run(main: Callable[[], None], launcher: str, if_interrupted: str = "interrupted") -> None:
    """Run `main` in this process's place of the process group.

    A missing file or GPU and a checkpoint that is none, or not of the config's model, are one line and exit code 1.
    """
    import torch.distributed as dist

    import mpm_mmpose.register  # noqa: F401  (configs may name the package alone, which is imported by now)
    from mpm_mmpose.checkpoint import CheckpointError
    from mpm_mmpose.distributed import ProcessError, start_processes, stop_processes

    try:
        start_processes(launcher)
        main()
    except (FileNotFoundError, ProcessError, CheckpointError) as error:
        # Other ranks may be elsewhere: leave without waiting for them.
        if dist.is_initialized():
            dist.destroy_process_group()
        _tell(f"error: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _tell(if_interrupted)
        sys.exit(130)
    stop_processes()


def _tell(message: str) -> None:
    # torchrun ends a failed run with a long report, so its script asks for the message in a file and prints it last.
    # Any rank may write it: torchrun stops the others once one has failed.
    if path := os.environ.get("MPM_MESSAGE_FILE"):
        Path(path).write_text(message + "\n")
    elif os.environ.get("LOCAL_RANK", "0") == "0":
        print(message, file=sys.stderr)
