"""Kills runs at seeded moments, looks at what they leave behind, and lets them go on."""

import os
import re
import shutil
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from fuzz_run import Record, cause, command_line
from fuzz_scene import ENVIRONMENT, Scene, must
from fuzz_server import REPOSITORY, Limits, Outcome, run_forked, run_tool
from fuzz_verdict import LOGS, written

#: What changes files, as Python's audit hooks name it.
EVENTS = frozenset(
    ('open', 'os.rename', 'os.remove', 'os.mkdir', 'os.rmdir', 'os.link', 'os.symlink')
)
#: Says by its content whether all is there.
PROGRESS = 'stats.json'
#: Tools that keep what they have done where they are stopped in order.
KEEPING = ('demo_video', 'visualize_results')
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


#: Of a quickstart that ends within a minute: arguments of its training.
QUICK = (
    *('--cfg-options', 'train_cfg.max_iters=4', 'default_hooks.checkpoint.interval=2'),
    *('train_dataloader.batch_size=1', 'train_dataloader.num_workers=0'),
    *('train_dataloader.persistent_workers=False', 'model.test_cfg.max_per_video=2'),
)
#: Stands for the environment's python and asks for less data.
PYTHON = """#!/bin/bash
case $1 in
    *make_shapes.py) exec {python} "$@" --size 48x64 --length 4 --train 6 --val 2 ;;
    *) exec {python} "$@" ;;
esac
"""


@dataclass(frozen=True)
class Run:
    """A command that is killed and started again.

    Attributes:
        part: of the scene.
        tool: below ``tools/``.
        args: of the first start.
        again: of every later one; None stands for the same.
        outputs: files and folders that it writes.
        growing: whether what it writes may be cut off, as is said of it.
    """

    part: str
    tool: str
    args: str
    outputs: tuple[str, ...]
    again: str | None = None
    growing: bool = False


_TRAIN = '{config} --no-validate --work-dir fresh{resume} --cfg-options train_cfg.max_iters=9'
_DEMO = '--device cpu --out out.mp4 --json found.json --maps maps'
_DEMO_FILES = ('out.mp4', 'found.json', 'maps')
RUNS = dict(
    train=Run(
        'vis', 'train', _TRAIN.format(config='toy.py', resume=''), ('fresh',),
        _TRAIN.format(config='toy.py', resume=' --resume'),
    ),
    train_resuming=Run(
        'vis', 'train', _TRAIN.format(config='toy.py', resume=' --resume'), ('fresh',)
    ),
    train_vps=Run(
        'vps', 'train', _TRAIN.format(config='maps.py', resume=' --resume')
        + ' default_hooks.checkpoint.interval=2', ('fresh',),
    ),
    test_vis=Run('vis', 'test_vis', 'toy.py toy.pth --out out', ('out',)),
    test_vis_vps=Run('vps', 'test_vis', 'maps.py maps.pth --out out', ('out',)),
    test_vis_vss=Run('vss', 'test_vis', 'maps.py maps.pth --out out', ('out',)),
    test=Run('vis', 'test', 'toy.py toy.pth --out numbers.json', ('numbers.json',)),
    convert=Run(
        'convert', 'model_converters/convert', 'published.pth out.pth --config small.py',
        ('out.pth',),
    ),
    convert_safe=Run(
        'convert', 'model_converters/convert', 'published.pkl out.safetensors --config small.py',
        ('out.safetensors',),
    ),
    publish=Run(
        'convert', 'model_converters/publish_model', 'ours.pth published/model.pth',
        ('published',),
    ),
    demo=Run('media', 'demo_video', f'clip.mp4 squares.py squares.pth {_DEMO}', _DEMO_FILES),
    demo_vps=Run('media', 'demo_video', f'frames vps.py vps.pth {_DEMO}', _DEMO_FILES),
    demo_live=Run(
        'media', 'demo_video', f'clip.mp4 live.py squares.pth {_DEMO} --live', ('maps',),
        growing=True,
    ),
    draw=Run(
        'vis', 'visualize_results',
        'results.json --ann data/train.json --root data/JPEGImages --out drawn --contact-sheet',
        ('drawn',),
    ),
    draw_vps=Run(
        'vps', 'visualize_results',
        'results --ann data/panoptic_gt_VIPSeg_val.json --out drawn --contact-sheet', ('drawn',),
    ),
    draw_vss=Run('vss', 'visualize_results', 'results --ann data/val.txt --out drawn', ('drawn',)),
    resize=Run(
        'release', 'dataset_converters/vipseg_to_720p', 'release resized --size 24 --jobs 1',
        ('resized',),
    ),
    shapes=Run(
        'release', 'dataset_converters/make_shapes',
        '--out made --size 32x48 --length 3 --train 2 --val 2 --format vipseg', ('made',),
    ),
    quickstart=Run(
        'quickstart', 'quickstart', ' '.join(QUICK), ('work_dirs', 'data'),
    ),
    evaluate=Run(
        'small', 'evaluate', 'vpq gt pred --out numbers.json', ('numbers.json',)
    ),
)  # fmt: skip


@dataclass
class Kill:
    """A signal, and when: at a number of events that change files, or after some seconds."""

    sign: signal.Signals
    event: int = 0
    after_s: float = 0

    def __str__(self) -> str:
        when = f'event {self.event}' if self.event else f'{self.after_s:.3f} s'
        return f'{self.sign.name} at {when}'


@dataclass
class Sound:
    """An undisturbed run: what it wrote, its events and seconds."""

    found: dict[str, Any]
    names: set[str]
    events: int
    wall_s: float
    states: dict[str, Any] = field(default_factory=dict)


def count_events(folder: Path, kill: Kill | None) -> None:
    """Count what changes files in a folder and end the process at ``kill``; called in a fork."""
    counted = 0

    def hook(event: str, args: tuple) -> None:
        nonlocal counted
        if event not in EVENTS or (event == 'open' and not _writes(args)):
            return
        if not str(args[0]).startswith(str(folder)) and os.path.isabs(str(args[0])):
            return
        counted += 1
        if kill and counted == kill.event:
            os.kill(os.getpid(), kill.sign)
        elif kill is None:
            note.seek(0)
            note.write(str(counted))

    note = open(folder.parent / 'events', 'w', buffering=1)  # noqa: SIM115
    sys.addaudithook(hook)


def _writes(args: tuple) -> bool:
    _, mode, flags = args
    return bool(set(mode or '') & set('wax+')) or bool((flags or 0) & WRITING)


def prepare(scene: Scene, run: Run, folder: Path) -> None:
    """Make what a run starts from."""
    if run.part != 'quickstart':
        scene.copy(run.part, folder)
        return
    (folder / 'tools').mkdir(parents=True)
    for path in (REPOSITORY / 'tools').iterdir():
        (folder / 'tools' / path.name).symlink_to(path)
    for name in ('quickstart.sh', 'setup_env.sh'):
        (folder / 'tools' / name).unlink()
    shutil.copy(REPOSITORY / 'tools/quickstart.sh', folder / 'tools')  # works where it lies
    (folder / 'configs').symlink_to(REPOSITORY / 'configs')
    python = folder / 'python'
    python.write_text(PYTHON.format(python=sys.executable))
    python.chmod(0o755)
    (folder / 'tools/setup_env.sh').write_text(f'echo {python}\n')


def start(
    run: Run, args: str, folder: Path, root: Path, kill: Kill | None, *, counted: bool = False
) -> Outcome:
    """Run a command, to its end or until it is killed."""
    timed = (kill.sign, kill.after_s) if kill and kill.after_s else None

    def before() -> None:
        os.environ.update(ENVIRONMENT)
        if (kill and kill.event) or counted:
            count_events(folder, kill)

    if run.part != 'quickstart':
        return run_tool(run.tool, args.split(), folder, logs=root, before=before, kill=timed)
    command = ['bash', 'tools/quickstart.sh', *args.split()]
    limits = Limits(idle_s=900)  # what computes are processes of its own
    return run_forked(
        lambda: os.execv('/bin/bash', command), folder, root, limits, before, kill=timed
    )


_sound: dict[str, Sound] = {}


def sound_run(scene: Scene, name: str) -> Sound:
    """The undisturbed run of a command; once a process."""
    if name not in _sound:
        run = RUNS[name]
        folder = scene.root / f'sound_{os.getpid()}' / 'kill' / name / 'run'
        prepare(scene, run, folder)
        args = run.args
        if run.tool == 'train':  # the state after each iteration
            args += (
                ' default_hooks.checkpoint.interval=1 default_hooks.checkpoint.max_keep_ckpts=-1'
            )
        outcome = start(run, args, folder, folder.parent, None, counted=True)
        must(outcome, name)
        found, faults = written(folder, run.outputs)
        if faults:
            raise RuntimeError(f'{name}: {faults}')
        note = folder.parent / 'events'
        events = int(note.read_text() or 0)
        _sound[name] = Sound(found, _names(folder, run), events, outcome.wall_s)
    return _sound[name]


def _names(folder: Path, run: Run) -> set[str]:
    names = set()
    for output in run.outputs:
        top = folder / output
        paths = top.rglob('*') if top.is_dir() else [top]
        names |= {str(path.relative_to(folder)) for path in paths if path.is_file()}
    return names


def in_turn(seed: int) -> list[str]:
    """Names of the runs as they take turns: the quickstart, which is slow, last."""
    names = [name for name in RUNS if name != 'quickstart']
    return [*Random(f'{seed}/kills').sample(names, len(names)), 'quickstart']


def run_kill(scene: Scene, index: int, seed: int, root: Path, keep: bool) -> Record:
    """Kill a run once or twice, start it again, and compare its end with an undisturbed one.

    Args:
        scene: sound files.
        index: of the kill; the runs take turns.
        seed: of all kills.
        root: folder of this run, made anew.
        keep: whether it stays.
    """
    rng = Random(f'{seed}/kill/{index}')
    name = in_turn(seed)[index % len(RUNS)]
    run, sound = RUNS[name], sound_run(scene, name)
    shutil.rmtree(root, ignore_errors=True)
    folder = root / 'a' / 'b' / 'c'
    prepare(scene, run, folder)
    faults, outcomes, notes, args = [], [], [], run.args
    for _ in range(rng.choice((1, 1, 2))):
        kill = _draw(rng, sound, _timed_share(run, index))
        notes.append(str(kill))
        outcome = start(run, args, folder, root, kill)
        outcomes.append(outcome)
        faults += [f'{kill}: {fault}' for fault in _left_behind(run, folder, sound, kill, outcome)]
        args = run.again or run.args
    last = start(run, args, folder, root, None)
    faults += _end(run, folder, sound, last)
    record = Record(
        *('kill', index, command_line(run.tool, run.args.split()), f'{name}: {", ".join(notes)}'),
        *('SAME', last.status, max(o.peak for o in (*outcomes, last))),
        *(round(sum(o.cpu_s for o in outcomes), 2), round(sum(o.wall_s for o in outcomes), 2)),
        faults,
    )
    if faults:
        broken = [o for o in (*outcomes, last) if 'Traceback' in o.err] or [last]
        plain = [re.sub(r'^[^:]*: ', '', fault) for fault in faults]
        record.cause = cause(f'kill of {name}', plain, broken[0].err)
        record.tail = broken[0].err[-1500:]
    if not keep:
        shutil.rmtree(root, ignore_errors=True)
    return record


def _timed_share(run: Run, index: int) -> float:
    """Share of kills after a time; the first of each run come at events, always the same."""
    return 1.0 if run.part == 'quickstart' else 0.0 if index < len(RUNS) else 0.4


def _draw(rng: Random, sound: Sound, timed_share: float) -> Kill:
    sign = rng.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT))
    if rng.random() >= timed_share:
        return Kill(sign, event=rng.randint(1, max(sound.events, 1)))
    return Kill(sign, after_s=rng.uniform(0.01, sound.wall_s))


def _left_behind(run: Run, folder: Path, sound: Sound, kill: Kill, outcome: Outcome) -> list[str]:
    """Half-written files under a final name, and what a run says of its end."""
    faults = []
    importing = outcome.err.count('in <module>\n') > 1  # no tool has begun yet
    traceback = 'Traceback (most recent call last)' in outcome.err
    if kill.sign != signal.SIGKILL and traceback and not importing:
        faults.append('a traceback is shown')
    found, broken = written(folder, run.outputs)
    if not run.growing:
        faults += broken
    if kill.sign != signal.SIGKILL and run.tool in KEEPING:
        return faults  # what was done is there, whole but shorter
    different = [
        name
        for name, value in found.items()
        if value != sound.found.get(name, value) and not name.endswith(PROGRESS)
    ]
    faults += [f'{name} is there but not as in the end' for name in different]
    return faults


def _end(run: Run, folder: Path, sound: Sound, outcome: Outcome) -> list[str]:
    """How the last start ends, compared with a run that was never killed."""
    if outcome.status:
        return [f'started again: status {outcome.status}: {outcome.err[-300:]}']
    found, faults = written(folder, run.outputs)
    names = _names(folder, run)
    stale = [name for name in names if name.endswith('.part') or '/.' in name or 'partial' in name]
    faults += [f'started again: {name} stays' for name in stale]
    wanted = sound.found
    if run.tool in ('train', 'quickstart'):  # all that are there are right, the last one is there
        wanted = {
            name: value
            for name, value in sound.found.items()
            if name in found or not re.search(r'iter_[0-8]\.pth$', name)
        }
    for name, value in wanted.items():
        if found.get(name) != value:
            faults.append(f'started again: {name} is not that of an undisturbed run')
    extra = {name for name in names - sound.names - set(stale) if not LOGS.search(name)}
    if extra and run.tool not in ('train', 'quickstart'):
        faults.append(f'started again: {min(extra)} is there, too')
    return faults
