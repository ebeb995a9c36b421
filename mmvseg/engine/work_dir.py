"""The work dir of a training: one run at a time, which goes on or begins, as it was asked to."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmengine.config import Config

from mmvseg.checkpoints.latest import (
    CHECKPOINT_PATTERNS,
    LAST_CHECKPOINT,
    find_latest_checkpoint,
    saved_checkpoints,
)
from mmvseg.errors import UserError, counted, say
from mmvseg.files import file_errors, partial_path

from .distributed import held_folder, on_main_process

_OTHER_WORK_DIR = 'give another --work-dir'


@contextmanager
def claimed_work_dir(
    cfg: Config, resume: str | None = None, *, overwrite: bool = False
) -> Iterator[None]:
    """Hold ``cfg.work_dir`` against other runs, and let ``cfg`` say where the training begins.

    Checkpoints of an earlier run are never overwritten unless that is asked for.

    Args:
        cfg: config with ``work_dir``, changed in place.
        resume: checkpoint to continue from; ``auto`` takes the last whole one in the work dir, and
            begins anew where there is none; None: as ``resume`` and ``load_from`` of the config
            say.
        overwrite: begin anew and throw away the checkpoints of an earlier run.

    Raises:
        UserError: another run writes there, the folder cannot be written to, it holds the
            checkpoints of an earlier run, or none of them can be continued from.
    """
    if resume is None and cfg.get('resume') and not overwrite:
        resume = cfg.get('load_from') or 'auto'
    folder = checkpoint_folder(cfg)
    with ExitStack() as held:
        for path in dict.fromkeys((Path(cfg.work_dir), folder)):
            held.enter_context(held_folder(path, _OTHER_WORK_DIR))
        checkpoint = on_main_process(
            lambda: _checkpoint_to_continue(cfg, folder, resume, overwrite)
        )
        cfg.resume = checkpoint is not None
        if checkpoint is not None:
            cfg.load_from = checkpoint
        yield


def checkpoint_folder(cfg: Config) -> Path:
    """Where a training saves: its work dir, or a folder of that name in the hook's ``out_dir``."""
    hook = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    work_dir = Path(cfg.work_dir)
    return Path(hook['out_dir'], work_dir.absolute().name) if hook.get('out_dir') else work_dir


def _checkpoint_to_continue(
    cfg: Config, folder: Path, resume: str | None, overwrite: bool
) -> str | None:
    with file_errors(folder, _OTHER_WORK_DIR):
        for pattern in (*CHECKPOINT_PATTERNS, LAST_CHECKPOINT):
            for part in folder.glob(partial_path(Path(pattern)).name):
                part.unlink()  # half-written by a run that was killed
    if resume == 'auto':
        found = find_latest_checkpoint(
            cfg.work_dir, _say, folder=folder, allow_pickle=cfg.get('allow_pickle', False)
        )
        if found is None:
            _say(f'no checkpoint in {folder}, training starts from the beginning')
        return None if found is None else str(found)
    held = saved_checkpoints(folder)
    if resume is not None and Path(resume).absolute().parent == folder.absolute():
        return resume
    if held and overwrite:
        _remove(cfg, folder, held)
    elif held:
        aim = f'a training continued from {resume}' if resume else 'this training'
        raise UserError(
            f'{folder} holds the checkpoints of an earlier run ({held[-1].name}'
            f'{", …" if len(held) > 1 else ""}), which {aim} would overwrite: continue that run '
            f'with --resume, {_OTHER_WORK_DIR}, or throw it away with --overwrite'
        )
    return resume


def _remove(cfg: Config, folder: Path, held: list[Path]) -> None:
    start = cfg.get('load_from')
    if start and any(Path(start).absolute() == path.absolute() for path in held):
        raise UserError(
            f'--overwrite: {start} is what this training starts from; move it elsewhere'
        )
    with file_errors(folder, _OTHER_WORK_DIR):
        for path in (*held, Path(cfg.work_dir) / LAST_CHECKPOINT):
            path.unlink(missing_ok=True)
    _say(f'--overwrite: removed {counted(len(held), "checkpoints")} of an earlier run in {folder}')


def _say(line: str) -> None:
    say(line, sys.stderr, flush=True)
