"""Runs inputs of all kinds and says what is wrong with how they end."""

import os
import re
import shlex
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import fuzz_checkpoints  # noqa: F401 - each registers its kinds
import fuzz_configs
import fuzz_folders  # noqa: F401
import fuzz_json  # noqa: F401
import fuzz_media  # noqa: F401
import fuzz_pictures  # noqa: F401
from fuzz_case import KINDS, Case, fresh_case
from fuzz_scene import Scene
from fuzz_server import run_tool
from fuzz_verdict import judge

#: Kinds that deserve more, or fewer, inputs than others.
WEIGHTS = dict(json_values=3, json_bytes=2, states=3, config_values=2, cfg_options=3, bombs=0.3)
WEIGHTS |= dict(declared_sizes=0.7, no_picture=0.7, literals_of_options=0.3, masks_neutral=0.7)


@dataclass
class Record:
    """One input and what came of it."""

    kind: str
    index: int
    command: str
    note: str
    expect: str
    status: int
    peak: int
    cpu_s: float
    wall_s: float
    faults: list[str] = field(default_factory=list)
    cause: str = ''
    tail: str = ''

    @property
    def name(self) -> str:
        """What ``--repeat`` takes."""
        return f'{self.kind}:{self.index}'


def plan(count: int, kinds: list[str]) -> Iterator[tuple[str, int]]:
    """Kind and index of each input: one of all kinds first, then as their weights say."""
    weights = {kind: WEIGHTS.get(kind, 1) for kind in kinds}
    shares = {kind: count * weights[kind] / sum(weights.values()) for kind in kinds}
    done: Counter[str] = Counter()
    for _ in range(count):
        kind = min(kinds, key=lambda kind: (done[kind] > 0, (done[kind] + 1) / shares[kind]))
        yield kind, done[kind]
        done[kind] += 1


def run_input(scene: Scene, kind: str, seed: int, index: int, root: Path, keep: bool) -> Record:
    """Make one input, run its command and judge.

    Args:
        scene: sound files.
        kind: one of :data:`fuzz_case.KINDS`.
        seed: of the whole run.
        index: of the input among those of its kind.
        root: folder of this input, made anew.
        keep: whether it stays.
    """
    try:
        case = fresh_case(scene, kind, seed, index, root)
    except Exception as error:  # of ours, not of the tools
        fault = f'the input could not be made: {error!r}'
        return Record(*(kind, index, '', '', '', -1, 0, 0, 0), [fault], fault)
    stdin = case.folder / case.stdin if case.stdin else Path('/dev/null')
    outcome = run_tool(
        case.tool,
        case.args,
        case.folder,
        logs=root,
        limits=case.limits,
        before=lambda: _enter(case),
        stdin=stdin,
    )
    faults = judge(case, outcome)
    record = Record(
        *(kind, index, command_line(case.tool, case.args), case.note, case.expect.name),
        *(outcome.status, outcome.peak, round(outcome.cpu_s, 2), round(outcome.wall_s, 2), faults),
    )
    if faults:
        record.cause = cause(kind, faults, outcome.err)
        record.tail = (outcome.out[-300:] + outcome.err[-1500:]).strip()
    if not keep:
        shutil.rmtree(root, ignore_errors=True)
    return record


def _enter(case: Case) -> None:
    os.environ['TMPDIR'] = str(case.folder.parents[2] / 'tmp')
    tempfile.tempdir = None
    fuzz_configs.cache_environment(case)


def command_line(tool: str, args: list[str]) -> str:
    """The command of a run, as typed in a shell."""
    words = [word if len(word) < 200 else f'{word[:80]}...({len(word)})' for word in args]
    if tool == 'quickstart':
        return f'bash tools/quickstart.sh {shlex.join(words)}'
    return f'tools/{tool}.py {shlex.join(words)}'


_FRAME = re.compile(r'File "[^"]*/((?:mmvseg|tools|site-packages)/[^"]+)", line \d+, in (\S+)')
_TRACEBACK = 'Traceback (most recent call last)'


def cause(kind: str, faults: list[str], err: str) -> str:
    """What violations of one reason have in common."""
    if _TRACEBACK not in err:
        return f'{kind}: ' + re.sub(r'\d+(\.\d+)?', 'N', '; '.join(sorted(set(faults))[:2]))
    trace = err[err.rindex(_TRACEBACK) + len(_TRACEBACK) + 1 :]
    error = next((line for line in trace.splitlines() if line and line[0] not in ' \t'), '?')
    frames = _FRAME.findall(trace)
    ours = [f'{path}:{name}' for path, name in frames if path.startswith(('mmvseg', 'tools'))]
    return f'{error.split(":")[0]} in {ours[-1] if ours else "?"}'


KIND_NAMES = [*KINDS]
