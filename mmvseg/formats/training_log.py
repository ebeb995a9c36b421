"""The local log of a training: ``WORK_DIR/TIMESTAMP/vis_data/scalars.json``, one folder a start.

Each line is an object of one moment: ``step`` and what was measured. Of training it also has
``iter``, of validation it has not.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.files import file_errors

SCALARS = 'vis_data/scalars.json'
_CONFIG = 'vis_data/config.py'
_CHECK = 'check the path'


@dataclass(frozen=True)
class Curve:
    """One number over a training.

    Attributes:
        steps: iterations, ascending, N.
        values: N; not finite where a training has diverged.
    """

    steps: list[int]
    values: list[float]


@dataclass(frozen=True)
class TrainingLog:
    """What a training has logged, from all of its starts.

    Attributes:
        starts: names of the folders that it was joined from, in the order of time.
        train: what was measured in training by name, in the order of the file: losses, rates,
            seconds.
        val: the same of validation.
    """

    starts: list[str]
    train: dict[str, Curve]
    val: dict[str, Curve]


def read_training_log(work_dir: str | Path, warn: Callable[[str], None]) -> TrainingLog:
    """Read the log of a training, which may still go on.

    A start that continues the training takes the place of what came before it from its first step
    on; one that began anew, as its config says, of all.

    Args:
        work_dir: of the training.
        warn: is told what is left out.

    Raises:
        UserError: there is no log, or a line of it is damaged that is not the last.
    """
    with file_errors(Path(work_dir), _CHECK):
        files = sorted(Path(work_dir).glob(f'*/{SCALARS}'))
    if not files:
        raise UserError(
            f'{work_dir}: there is no TIMESTAMP/{SCALARS} in it; give the work dir of a training: '
            'its --work-dir, by default work_dirs/CONFIG'
        )
    starts, joined = [], []
    for path in files:
        rows = _read_rows(path, warn)
        if not any(map(_is_train, rows)):  # as of a validation alone
            warn(f'{path}: has no values of training (yet), left out')
            continue
        if _begins_anew(path.parents[1] / _CONFIG):
            starts, joined = [], []
        first = min(row['step'] for row in rows)
        starts.append(path.parents[1].name)
        joined = [row for row in joined if row['step'] < first] + rows
    if not joined:
        raise UserError(f'{work_dir}: the training has logged nothing yet; try again later')
    return TrainingLog(
        starts,
        _curves([row for row in joined if _is_train(row)]),
        _curves([row for row in joined if not _is_train(row)]),
    )


def _is_train(row: dict[str, Any]) -> bool:
    return 'iter' in row


def _begins_anew(config: Path) -> bool:
    """Whether the config of a start, which is never run here, says that it continues nothing."""
    if not config.is_file():
        return False
    with file_errors(config, _CHECK):
        text = config.read_text(encoding='utf-8', errors='replace')
    return re.search(r'^resume = False$', text, re.MULTILINE) is not None


def _read_rows(path: Path, warn: Callable[[str], None]) -> list[dict[str, Any]]:
    with file_errors(path, _CHECK):
        lines = path.read_bytes().splitlines()
    rows = []
    for number, line in enumerate(lines, 1):
        row = _row(line)
        if row is not None:
            rows.append(row)
        elif number == len(lines):
            warn(f'{path}: line {number} is not complete (yet), left out')
        else:
            raise UserError(
                f'{path}: line {number} is no object with "step", a whole number; the file is '
                'damaged: remove this line, or the folder of this start'
            )
    return rows


def _row(line: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(line)  # knows NaN, which mmengine writes where a training has diverged
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) and type(row.get('step')) is int else None


def _curves(rows: list[dict[str, Any]]) -> dict[str, Curve]:
    """The numbers of the rows by name; of values at one step the last."""
    points = {}
    for row in rows:
        for name, value in row.items():
            if name not in ('step', 'iter', 'epoch') and type(value) in (int, float):
                points.setdefault(name, {})[row['step']] = float(value)
    return {
        name: Curve(steps := sorted(at), [at[step] for step in steps])
        for name, at in points.items()
    }
