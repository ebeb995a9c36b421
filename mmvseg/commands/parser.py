"""The parser of all command lines: what it prints cannot steer the terminal."""

import argparse
import sys
from typing import Any, TextIO

from mmvseg.errors import say


class UsageError(Exception):
    """Options that do not go together; shown with the usage line, the exit status is 2."""


class Parser(argparse.ArgumentParser):
    """As argparse's, but arguments in its messages are escaped and descriptions keep their lines.

    Args:
        **options: of :class:`argparse.ArgumentParser`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self.color = False  # of Python 3.14: signs for the terminal, which would be escaped

    def _print_message(self, message: str, file: TextIO | None = None) -> None:
        if message:
            say(message.removesuffix('\n'), file or sys.stderr)
