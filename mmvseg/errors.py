"""Errors that a user can mend, and how the command line shows them and names from files.

Whatever the tools print goes through :func:`say`, the log through the same escaping.
"""

import difflib
import functools
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import TextIO

#: Of Unicode: control characters, signs that turn the direction of text, and halves of characters
#: and bytes that are none.
_UNPRINTABLE = frozenset({'Cc', 'Cs'})
#: Exit status where nobody reads the output any more: that of a tool which SIGPIPE ends.
_CLOSED_OUTPUT = 128 + 13
_TURNING = frozenset('\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069')
#: Of plurals and singulars.
_ENDINGS = (('ies', 'y'), ('sses', 'ss'), ('s', ''))


class UserError(Exception):
    """Something that the user can mend: a wrong path, a broken file, a config typo.

    The message says what was wrong, where (file, video, frame, config key) and what to do.
    Command-line tools print it without a traceback and exit with status 1.
    """


class NonFiniteError(UserError):
    """Training has diverged: predictions are NaN, infinite or far beyond any sense.

    Raised before anything is learnt from them, and in distributed training on all processes
    together, so that the step can be skipped.
    """

    @classmethod
    def diverged(cls, what: str) -> 'NonFiniteError':
        """The error for ``what``, e.g. a layer of a video, with the ways out."""
        return cls(
            f'{what}: training has diverged. Lower the learning rate '
            '(optim_wrapper.optimizer.lr) or the gradient norm (optim_wrapper.clip_grad), or skip '
            'such steps with train_cfg.skip_non_finite=True'
        )


def printable(text: object) -> str:
    """A text for the terminal: what could steer it is escaped, as in ``\\x1b``.

    Names in files of others may hold control characters. Newlines and tabs, which our own texts
    have, stay.

    Example:
        >>> print(printable('video \\x1b[31mred'))
        video \\x1b[31mred
    """
    return ''.join(
        character.encode('unicode_escape').decode() if _steers(character) else character
        for character in str(text)
    )


def one_line(name: object) -> str:
    """A name from a file that must not break its line or table either.

    Example:
        >>> one_line('first\\nsecond')
        'first\\\\nsecond'
    """
    return printable(name).replace('\n', '\\n').replace('\t', '\\t')


def short(text: str, length: int = 60) -> str:
    """A text for a message, without its end if it is long."""
    return text if len(text) <= length else f'{text[: length - 3]}... ({len(text)} characters)'


def counted(number: int, things: str) -> str:
    """A number of things, in the singular if it is one.

    Args:
        number: 0 or more.
        things: the plural, in ``-s``, ``-ies`` or ``-sses``.

    Example:
        >>> counted(1, 'entries'), counted(2, 'entries')
        ('1 entry', '2 entries')
    """
    if number != 1:
        return f'{number} {things}'
    plural, singular = next(ending for ending in _ENDINGS if things.endswith(ending[0]))
    return f'{number} {things.removesuffix(plural)}{singular}'


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Which of the candidates may have been meant, to end a message with."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(candidates)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if not close:
        return ''
    return '; did you mean ' + ' or '.join(by_lower[match] for match in close) + '?'


def say(text: object, file: TextIO | None = None, flush: bool = False) -> None:
    """Print a text so that nothing in it can steer the terminal.

    Args:
        text: see :func:`printable`.
        file: default: the standard output.
        flush: do not wait for more.

    Raises:
        UserError: it cannot be written, as on a full disk.
        SystemExit: nobody reads it any more, as after ``| head``; ends a tool without a message.
    """
    # files and pipes may have another encoding than UTF-8
    encoding = getattr(file or sys.stdout, 'encoding', None) or 'utf-8'
    shown = printable(text).encode(encoding, 'backslashreplace').decode(encoding)
    with _output_errors():
        print(shown, file=file, flush=flush)


@contextmanager
def _output_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        sys.stdout = StringIO()  # else Python tries again at its end
        if isinstance(error, BrokenPipeError):
            raise SystemExit(_CLOSED_OUTPUT) from error
        raise UserError(f'the output cannot be written ({error.strerror})') from error


def _steers(character: str) -> bool:
    if character in '\n\t':
        return False
    return character in _TURNING or unicodedata.category(character) in _UNPRINTABLE


def command_line(main: Callable[..., int | None]) -> Callable[..., None]:
    """Decorate the ``main`` of a tool: :class:`UserError` becomes one message on stderr.

    Args:
        main: the tool's entry point; its return value, if any, is the exit status.

    Example:
        >>> @command_line
        ... def main() -> None:
        ...     raise UserError("gt.json: not a YouTube-VIS file (no 'videos')")
    """

    @functools.wraps(main)
    def wrapper(*args, **kwargs) -> None:
        status = _status(lambda: main(*args, **kwargs))
        # what waits in the buffer is no later message of Python's
        sys.exit(_status(_flush) or status)

    return wrapper


def _status(action: Callable[[], int | None]) -> int | str:
    """Exit status of an action, after the message if it is an error."""
    try:
        return action() or 0
    except UserError as error:
        say(f'error: {error}', sys.stderr)
        return 1
    except (KeyboardInterrupt, SyntaxError) as stop:
        # mmengine's Config.pretty_text makes a SyntaxError of Ctrl-C
        if not any(isinstance(error, KeyboardInterrupt) for error in (stop, stop.__context__)):
            raise
        say('interrupted', sys.stderr)
        return getattr(stop, 'status', 130)
    except SystemExit as stop:
        return stop.code or 0


def _flush() -> None:
    if sys.stdout is not None:  # it is where a process starts without one
        with _output_errors():
            sys.stdout.flush()
