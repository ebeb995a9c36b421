"""Which checkpoint a training saved last."""

from pathlib import Path

LAST_CHECKPOINT = 'last_checkpoint'


def find_latest_checkpoint(work_dir: str | Path) -> Path | None:
    """The checkpoint that training in ``work_dir`` saved last, or None.

    The file ``last_checkpoint`` names it; a moved ``work_dir`` is searched by file name.
    """
    work_dir = Path(work_dir)
    pointer = work_dir / LAST_CHECKPOINT
    if not pointer.is_file():
        return None
    named = Path(pointer.read_text().strip())
    for candidate in (work_dir / named.name, named):
        if candidate.is_file():
            return candidate
    return None
