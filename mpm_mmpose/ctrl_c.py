"""Ctrl-C that is not lost: Python drops one that comes while it forks the processes that read data."""

from __future__ import annotations

import signal


class CtrlC:
    """From here until :meth:`put_back`: whether Ctrl-C came; else it does what it did before."""

    _now: CtrlC | None = None

    def __init__(self) -> None:
        self.received, self._before = False, signal.getsignal(signal.SIGINT)
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._receive)
        CtrlC._now = self

    def _receive(self, *given: object) -> None:
        self.received = True
        signal.default_int_handler(*given)

    def put_back(self) -> None:
        """Let Ctrl-C do what it did before."""
        CtrlC._now = None
        if self._before is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._before)

    @classmethod
    def raise_lost(cls) -> None:
        """Raise KeyboardInterrupt where one came and the program went on all the same."""
        if cls._now is not None and cls._now.received:
            raise KeyboardInterrupt
