"""What train.py and test.py share: arguments, config, errors. Nothing heavy is imported before it is needed."""

import argparse
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

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
    """Read the config and merge the arguments of both tools into it; what the command line says wins.

    Raises UsageError for a config that cannot be executed, and for options that nothing in it knows.
    """
    from mmengine.config import Config

    from mpm_mmpose.errors import UsageError
    from mpm_mmpose.training.config_options import check_loaders, merge_options

    try:
        cfg = Config.fromfile(args.config)
    except OSError:
        raise
    except Exception as error:  # it is Python: whatever it raises
        raise UsageError(f"{args.config}: {type(error).__name__}: {' '.join(str(error).split())}") from None
    merge_options(cfg, args.cfg_options)
    check_loaders(cfg)
    cfg.launcher = args.launcher
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or str(Path("work_dirs") / Path(args.config).stem)
    # Also where a config has hooks of its own: without these a resumed run believes what files say.
    hooks = cfg.get("custom_hooks") or []
    there = [hook for hook in (*hooks, *(cfg.get("default_hooks") or {}).values()) if isinstance(hook, dict)]
    types = {str(hook.get("type")).rpartition(".")[2] for hook in there}
    missing = [name for name in ("WorkDirHook", "CheckpointContentHook") if name not in types]
    cfg.custom_hooks = [*hooks, *(dict(type=f"mmpose.{name}") for name in missing)]
    return cfg


def run(main: Callable[[], None], launcher: str, if_interrupted: Callable[[], str] = lambda: "interrupted") -> None:
    """Run `main` in this process's place of the process group.

    What a user can mend is one line and exit code 1, wrong use one line and 2, Ctrl-C one line and 130.
    """
    import torch.distributed as dist

    import mpm_mmpose.register  # noqa: F401  (configs may name the package alone, which is imported by now)
    from mpm_mmpose.ctrl_c import CtrlC
    from mpm_mmpose.errors import UsageError
    from mpm_mmpose.training.command_runner import unfinished_start
    from mpm_mmpose.training.distributed import start_processes, stop_processes
    from mpm_mmpose.training.errors import line_of

    stopped = CtrlC()
    try:
        start_processes(launcher)
        main()
    except Exception as error:
        if stopped.received:  # what a Ctrl-C broke off, as a batch half read, is no fault
            _leave_interrupted(if_interrupted())
        line = str(error) if isinstance(error, UsageError) else line_of(error) or unfinished_start(error)
        if line is None:
            raise
        # Other ranks may be elsewhere: leave without waiting for them.
        if dist.is_initialized():
            dist.destroy_process_group()
        _tell(f"error: {line}")
        sys.exit(2 if isinstance(error, UsageError) else 1)
    except KeyboardInterrupt:
        _leave_interrupted(if_interrupted())
    finally:
        stopped.put_back()
    stop_processes()


def _leave_interrupted(message: str) -> NoReturn:
    # Threads that hand batches over may break off with an error, too, after the last word.
    threading.excepthook = sys.unraisablehook = lambda *args: None
    _tell(message)
    sys.exit(130)


def _tell(message: str) -> None:
    # torchrun ends a failed run with a long report, so its script asks for the message in a file and prints it last.
    # Any rank may write it: torchrun stops the others once one has failed.
    if path := os.environ.get("MPM_MESSAGE_FILE"):
        Path(path).write_text(message + "\n")
    elif os.environ.get("LOCAL_RANK", "0") == "0":
        print(message, file=sys.stderr)
