"""Which checkpoint of a training is the last whole one."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mmvseg.errors import UserError

from .files import load_checkpoint_file

#: The file in a work dir that names the checkpoint that was saved last.
LAST_CHECKPOINT = 'last_checkpoint'
#: Names that trainings give to what they save.
CHECKPOINT_PATTERNS = ('iter_*.pth', 'epoch_*.pth', 'best_*.pth')
_NUMBERED = re.compile(r'(?:iter|epoch)_(\d{1,18})\.pth', re.ASCII)
_LONGEST_PATH = 4096


def find_latest_checkpoint(
    work_dir: str | Path,
    say: Callable[[str], object] = lambda line: None,
    *,
    folder: str | Path | None = None,
    allow_pickle: bool = False,
) -> Path | None:
    """The checkpoint that a training can go on from: the one it saved last, if that is whole.

    The file ``last_checkpoint`` names it; a moved ``work_dir`` is searched by file name. Where it
    names none that is there and whole, the whole one of the highest number is taken.

    Args:
        work_dir: of the training.
        say: called with a line for everything that is not as the training left it.
        folder: where the checkpoints lie, if not in ``work_dir``.
        allow_pickle: as of :func:`load_checkpoint_file`.

    Returns:
        None if there are no checkpoints.

    Raises:
        UserError: there are some, but none that a training can go on from.
    """
    work_dir = Path(work_dir)
    folder = Path(folder or work_dir)
    problems = []
    try:
        named = _named_checkpoint(work_dir, folder)
        if named is not None:
            _check_resumable(named, allow_pickle)
            return named
        problems.append(f'{work_dir} has no {LAST_CHECKPOINT}')
    except UserError as error:
        problems.append(str(error))
    for path in _numbered_checkpoints(folder):
        try:
            _check_resumable(path, allow_pickle)
        except UserError as error:
            problems.append(str(error))
            continue
        for problem in dict.fromkeys(problems):
            say(problem)
        say(f'continuing from {path}, the newest whole checkpoint there')
        return path
    if held := saved_checkpoints(folder):
        raise UserError(
            f'{folder}: no training can go on from what it holds ({held[0].name}'
            f'{", …" if len(held) > 1 else ""}): {problems[-1]}; give another --work-dir to start '
            'anew, or --resume CHECKPOINT'
        )
    if (work_dir / LAST_CHECKPOINT).exists():
        say(problems[0])
    return None


def saved_checkpoints(folder: Path) -> list[Path]:
    """The checkpoints that a training has left in a folder, whole or not.

    Raises:
        UserError: the folder cannot be read.
    """
    try:
        return sorted(path for pattern in CHECKPOINT_PATTERNS for path in folder.glob(pattern))
    except OSError as error:
        raise UserError(f'{folder}: cannot be read ({error.strerror or error})') from error


def _named_checkpoint(work_dir: Path, folder: Path) -> Path | None:
    """The file that the pointer names; None without a pointer."""
    pointer = work_dir / LAST_CHECKPOINT
    if not pointer.is_file():
        return None
    try:
        with open(pointer, encoding='utf-8') as file:
            text = file.read(_LONGEST_PATH + 1).strip()
    except UnicodeDecodeError as error:
        raise UserError(f'{pointer}: is no text') from error
    except OSError as error:
        raise UserError(f'{pointer}: cannot be read ({error.strerror or error})') from error
    if not text or '\0' in text or len(text) > _LONGEST_PATH:
        raise UserError(f'{pointer}: names no file')
    named = Path(text)
    for candidate in (work_dir / named.name, folder / named.name, named):
        with suppress(OSError):  # a name beyond what the system takes
            if candidate.is_file():
                return candidate
    shown = text if len(text) < 200 else f'{text[:200]}…'
    raise UserError(f'{pointer}: names {shown}, which is not there')


def _numbered_checkpoints(folder: Path) -> list[Path]:
    """Highest number first."""
    numbered = [
        (int(match[1]), path)
        for path in saved_checkpoints(folder)
        if (match := _NUMBERED.fullmatch(path.name))
    ]
    return [path for _, path in sorted(numbered, reverse=True)]


def _check_resumable(path: Path, allow_pickle: bool) -> None:
    checkpoint = load_checkpoint_file(path, allow_pickle, mmap=True)
    if 'optimizer' not in checkpoint:
        raise UserError(f'checkpoint {path}: holds weights but no training state')
