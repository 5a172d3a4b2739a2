"""MMEngine's Runner for commands that train and test: its log reaches the screen when its loop begins."""

import logging

from mmengine.logging import MMLogger
from mmengine.runner import Runner

from ..ctrl_c import CtrlC

_STARTS = ("before_train", "before_val", "before_test")


class CommandRunner(Runner):
    """A Runner that keeps its log back from the screen, not from the file, until all is built and loaded.

    So an error before is not below some 200 lines on the environment and the config.
    """

    def build_logger(self, *args: object, **kwargs: object) -> MMLogger:
        """The Runner's logger, what it says on the screen kept back."""
        logger = super().build_logger(*args, **kwargs)
        logger.handlers = [
            handler if isinstance(handler, logging.FileHandler) else _Waiting(handler) for handler in logger.handlers
        ]
        return logger

    def call_hook(self, fn_name: str, **kwargs: object) -> None:
        """Call all hooks; the first of a loop lets the log go to the screen."""
        CtrlC.raise_lost()
        if fn_name in _STARTS:
            self.logger.handlers = [
                handler.let_go() if isinstance(handler, _Waiting) else handler for handler in self.logger.handlers
            ]
        super().call_hook(fn_name, **kwargs)


def unfinished_start(error: Exception) -> str | None:
    """One line for an error before the loop began, where the config is to blame; its traceback goes to the log's file.

    None where no CommandRunner is being built or loaded, or its loop had begun.
    """
    logger = MMLogger.get_current_instance()
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    if not files or not any(isinstance(handler, _Waiting) for handler in logger.handlers):
        return None
    logger.error("the training or test did not begin", exc_info=error)
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]} (the traceback is in {files[0].baseFilename})"


class _Waiting(logging.Handler):
    # Not logging's MemoryHandler, which lets all go when the program ends.
    def __init__(self, screen: logging.Handler) -> None:
        super().__init__(screen.level)
        self.screen, self.records = screen, []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def let_go(self) -> logging.Handler:
        for record in self.records:
            self.screen.handle(record)
        return self.screen
