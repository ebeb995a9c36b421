"""What of the log reaches the console: the essential. The log file keeps everything."""

import logging
import re
import sys
import warnings
from collections.abc import Callable
from typing import NoReturn

from mmengine.logging import MMLogger

from mmvseg.checkpoints.addresses import shown_in
from mmvseg.errors import printable

#: Logged by mmengine on the way; of use in the file only.
_FILE_ONLY = re.compile(
    r'Iter\((val|test)\).*eta:|Loads checkpoint by|Hooks will be executed|Auto resumed'
    r'|Distributed training is not|Checkpoints will be saved|"FileClient"|"HardDiskBackend"'
    r'|Saving checkpoint at|^Exp name|paramwise_options --|init_cfg without'
    r'|No pre-trained weights|is skipped since its requires_grad'
)
#: Deprecations inside the stack that a user can do nothing about.
_IRRELEVANT_WARNINGS = (
    r'.*torch\.meshgrid',
    r'.*torch\.cuda\.amp',
    r'.*autocast\(args\.\.\.\)',
    r'.*pkg_resources',
    r'.*scheduler\.step\(\)',
    r'.*pin_memory',
    r'.*find_unused_parameters=True',
    r'.*broadcast_buffers',
    r'Grad strides do not match',
    r'Setting (OMP|MKL)_NUM_THREADS',
)


class ConsoleFilter(logging.Filter):
    """Lets warnings pass, and single lines of information unless ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        super().__init__()
        self.quiet = quiet

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether ``record`` is shown."""
        message = record.getMessage()
        if record.levelno >= logging.WARNING:
            return not _FILE_ONLY.search(message)
        if self.quiet:
            return False
        # environment, config, hook list and initialisation come as blocks of many lines
        is_table = message.lstrip().startswith('+')
        return (is_table or '\n' not in message.strip()) and not _FILE_ONLY.search(message)


class Escaping(logging.Filter):
    """Escapes what could steer the terminal that shows a line or the log file, and drops none.

    Of addresses, what lets others in does not come into a log either.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        record.msg, record.args = shown_in(printable(record.getMessage())), None
        return True


def tidy_console(logger: MMLogger) -> MMLogger:
    """Attach a :class:`ConsoleFilter` to the console of ``logger``, and escape all of its lines.

    A log file that cannot be written, as on a full disk, is an error and no traceback a line. Where
    nobody reads the console any more, as after ``| head``, only the file is written from then on.
    """
    if not any(isinstance(f, Escaping) for f in logger.filters):
        logger.addFilter(Escaping())
    for handler in logger.handlers:
        if isinstance(handler, logging.FileHandler):
            handler.handleError = _raise
    for handler in _console_handlers(logger):
        if not any(isinstance(f, ConsoleFilter) for f in handler.filters):
            handler.addFilter(ConsoleFilter())
            handler.handleError = _without_reader(handler)
    return logger


def log_to_file_only(logger: MMLogger) -> None:
    """Keep information off the console from now on; warnings stay."""
    for handler in _console_handlers(tidy_console(logger)):
        for console_filter in handler.filters:
            if isinstance(console_filter, ConsoleFilter):
                console_filter.quiet = True


def hide_irrelevant_warnings() -> None:
    """Drop the Python warnings that concern only the code below ours."""
    for message in _IRRELEVANT_WARNINGS:
        warnings.filterwarnings('ignore', message=message)


def _raise(record: logging.LogRecord) -> NoReturn:
    raise


def _without_reader(handler: logging.Handler) -> Callable[[logging.LogRecord], None]:
    report = handler.handleError

    def handle_error(record: logging.LogRecord) -> None:
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            handler.addFilter(lambda record: False)
        else:
            report(record)

    return handle_error


def _console_handlers(logger: MMLogger) -> list[logging.Handler]:
    return [h for h in logger.handlers if not isinstance(h, logging.FileHandler)]
