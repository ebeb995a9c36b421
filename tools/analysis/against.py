"""Times a model and its peers in turn, each run in a process of its own, and compares them."""

import json
import os
import shlex
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import measure

from mmvseg.compat import SPIN_COUNT
from mmvseg.errors import UserError, counted

sys.path.insert(0, str(Path(__file__).resolve().parent / 'peers'))
from peer import Answer, Task

#: More than this many busy cores of other processes, and a run is not clean.
BUSY = 0.12
_FIGURES = {'wall_s': 'wall s', 'cpu_s': 'CPU s', 'peak_memory_gb': 'peak memory GB'}


@dataclass(frozen=True)
class Rounds:
    """Runs of one video: a round has one run of ours and then one of each peer.

    Attributes:
        frames: of the video.
        load: average load of the machine before the first run.
        ours: by round.
        peers: the same of each peer.
    """

    frames: int
    load: float
    ours: list[Answer]
    peers: list[list[Answer]]


def take_turns(
    ours: Callable[[], Answer], commands: Sequence[str], task: Task, repeats: int, frames: int
) -> Rounds:
    """Run ours and all peers ``repeats`` times, in turn.

    Args:
        ours: one run of ours.
        commands: one of the shell for each peer, see peers/peer.py.
        task: what is timed.
        repeats: rounds.
        frames: of the video.

    Raises:
        UserError: a command fails, or gives no answer.
    """
    rounds = Rounds(frames, os.getloadavg()[0], [], [[] for _ in commands])
    for _ in range(repeats):
        rounds.ours.append(ours())
        for answers, command in zip(rounds.peers, commands, strict=True):
            answers.append(ask(command, task))
    return rounds


def ask(command: str, task: Task) -> Answer:
    """One run of a peer.

    Raises:
        UserError: the command fails, or gives no answer.
    """
    environment = os.environ | task.variables()
    if environment.get('GOMP_SPINCOUNT') == SPIN_COUNT:  # what mmvseg sets for itself
        del environment['GOMP_SPINCOUNT']
    run = subprocess.run(
        _with_this_python(command),
        shell=True,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise UserError(
            f'--against {command!r}: ended with status {run.returncode}: '
            f'{run.stderr.strip()[-800:]}'
        )
    known = {field.name for field in fields(Answer)}
    try:
        answer = json.loads(run.stdout.strip().splitlines()[-1])
        return Answer(**{key: value for key, value in answer.items() if key in known})
    except (IndexError, ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f'--against {command!r}: its last line is no answer, see tools/analysis/peers/peer.py '
            f'({type(error).__name__}: {error})'
        ) from error


def _with_this_python(command: str) -> str:
    """The command; ``python`` at its beginning is the one that runs this tool."""
    name, _, rest = command.partition(' ')
    return f'{shlex.quote(sys.executable)} {rest}' if name == 'python' else command


def report(rounds: Rounds) -> str:
    """The rounds as text: a table for each peer."""
    count = counted(len(rounds.ours), 'rounds')
    lines = [f'## {rounds.frames} frames, {count} in turn, load {rounds.load:.2f} before']
    for answers in rounds.peers:
        lines += ['', *_unlike(rounds.ours[0], answers[0]), _table(rounds.ours, answers)]
        busy = max(run.other_cores or 0.0 for run in (*rounds.ours, *answers))
        if busy > BUSY:
            lines.append(f'NOT CLEAN: other processes kept up to {busy} cores busy meanwhile')
    return '\n'.join(lines)


def _unlike(ours: Answer, peer: Answer) -> list[str]:
    """A line for each respect in which the two differ that makes a ratio mean less."""
    pairs = {
        'precision': (ours.precision, peer.precision),
        'threads': tuple(run.environment.get('threads') for run in (ours, peer)),
        'processor': tuple(run.environment.get('cpu') for run in (ours, peer)),
        'torch': tuple(run.environment.get('versions', {}).get('torch') for run in (ours, peer)),
    }
    return [f'NOT ALIKE: {name} {a}, peer {b}' for name, (a, b) in pairs.items() if a != b]


def _table(ours: Sequence[Answer], peers: Sequence[Answer]) -> str:
    note = ''
    if not peers[0].coded and ours[0].coding_wall_s is not None:
        ours, note = [without_coding(run) for run in ours], ', both without run-length coding'
    elif not peers[0].coded:
        note = ', ours with run-length coding'
    title = f'{ours[0].name} ({ours[0].precision}) against {peers[0].name} ({peers[0].precision})'
    rows = []
    for key, label in _FIGURES.items():
        first, second = ([getattr(run, key) for run in runs] for runs in (ours, peers))
        ratios = [a / b for a, b in zip(first, second, strict=True)]
        rows.append([label, *map(_spread, (first, second, ratios))])
    header = ['', 'ours, median (range)', 'peer', 'ours / peer']
    return f'{title}{note}:\n\n{measure.markdown_table(header, rows)}'


def without_coding(run: Answer) -> Answer:
    """A run less its run-length coding, for peers that do none."""
    return replace(run, wall_s=run.wall_s - run.coding_wall_s, cpu_s=run.cpu_s - run.coding_cpu_s)


def _spread(values: Sequence[float]) -> str:
    median = statistics.median(values)
    return f'{median:.2f} ({min(values):.2f} - {max(values):.2f})'


def as_record(rounds: Rounds) -> dict[str, Any]:
    """The rounds for a JSON file."""
    runs = [rounds.ours, *rounds.peers]
    ours, *peers = ([asdict(run) for run in answers] for answers in runs)
    return dict(frames=rounds.frames, load=rounds.load, ours=ours, peers=peers)
