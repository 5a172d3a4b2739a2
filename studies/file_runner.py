"""MMEngine's Runner for commands that have a progress bar on the screen."""

import logging

from mmengine.logging import MMLogger
from mmengine.runner import Runner


class FileRunner(Runner):
    """A Runner that logs to its work directory only; the screen is the bar's."""

    def build_logger(self, *args: object, **kwargs: object) -> MMLogger:
        """The Runner's logger without its handler for the screen."""
        logger = super().build_logger(*args, **kwargs)
        logger.handlers = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
        return logger
