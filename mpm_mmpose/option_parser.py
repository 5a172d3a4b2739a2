"""Command lines that name the nearest option to one that is misspelt; needs nothing beyond Python."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from typing import NoReturn

_UNKNOWN = "unrecognized arguments: "


class OptionParser(argparse.ArgumentParser):
    """argparse's parser; of an option that it does not know it says which is meant, of several files which are left."""

    def error(self, message: str) -> NoReturn:
        """Leave with status 2 after saying what is wrong."""
        if message.startswith(_UNKNOWN):
            known = [option for action in self._actions for option in action.option_strings]
            given = [word.partition("=")[0] for word in message.removeprefix(_UNKNOWN).split()]
            near = {word: get_close_matches(word, known, n=1) for word in given if word.startswith("-")}
            meant = [f"{found[0]} for {word}" for word, found in near.items() if found]
            message += f"; did you mean {' and '.join(meant)}?" if meant else "; --help lists the options"
        super().error(message)
