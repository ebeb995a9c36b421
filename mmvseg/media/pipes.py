"""Video from pipes: taken as it comes, or copied first where it is to be read twice."""

import os
import re
import select
import stat
import tempfile
from contextlib import closing
from io import FileIO
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.files import file_errors

#: How long a pipe may be silent at first, in seconds: programs that download start slowly.
PATIENCE_S = 30.0
#: What is copied at most.
MAX_BYTES = 2**31
_CHUNK_BYTES = 2**20
_STDIN = Path('/dev/stdin')
_DESCRIPTORS = Path('/dev/fd')


def named_pipe(text: str) -> Path | None:
    """The path behind ``-``, ``pipe:`` and ``pipe:0``; None for other names."""
    match = re.fullmatch('-|pipe:([0-9]{0,4})', text)
    if match is None:
        return None
    return _STDIN if match[1] in (None, '', '0') else _DESCRIPTORS / match[1]


def is_pipe(path: Path) -> bool:
    """Whether a path leads to a pipe, or is standard input connected with another program."""
    mode = os.stat(path).st_mode
    return stat.S_ISFIFO(mode) or (path == _STDIN and stat.S_ISSOCK(mode))


def pipe_name(path: Path) -> str:
    """What a video from a pipe is called."""
    return 'pipe' if path.parent == _DESCRIPTORS else path.stem


def open_pipe(path: Path) -> FileIO:
    """A pipe out of which something comes.

    Raises:
        UserError: if nothing does.
    """
    # Without the flag, opening would wait for a program that opens the other end.
    opened = os.dup(0) if path == _STDIN else os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    pipe = FileIO(opened)
    if not select.select([opened], [], [], PATIENCE_S)[0]:
        pipe.close()
        raise UserError(f'{path}: no data for {PATIENCE_S:g} s; is a program writing into it?')
    os.set_blocking(opened, True)
    return pipe


def copy_pipe(path: Path) -> tuple[Path, tempfile.TemporaryDirectory]:
    """What comes out of a pipe, as a file.

    Returns:
        The file, and its folder, which vanishes with the last reference to it.

    Raises:
        UserError: if nothing comes, or too much.
    """
    folder = tempfile.TemporaryDirectory(prefix='mmvseg_')
    copied = Path(folder.name, pipe_name(path))
    size = 0
    with closing(open_pipe(path)) as pipe, file_errors(copied), copied.open('wb') as file:
        while data := pipe.read(_CHUNK_BYTES):
            size += file.write(data)
            if size > MAX_BYTES:
                raise UserError(
                    f'{path}: more than {MAX_BYTES / 2**30:g} GiB come out of the pipe; save them '
                    'as a file, or take the frames as they come with --live'
                )
    return copied, folder
