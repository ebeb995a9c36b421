"""GPU tests, speed and peak memory of every full-size model, in one command without a network.

On a machine without a GPU it takes small models, so that the same code runs everywhere.
"""

import argparse
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import measure
from gpu_suite_jobs import (
    Setting,
    measure_decoding,
    measure_inference,
    measure_training,
    record,
)
from gpu_suite_plan import SHARES, Job, Plan

from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.errors import UserError, command_line
from mmvseg.model_index import known_models
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.segmentors.eomt import EoMT
from mmvseg.models.segmentors.image_eomt import ImageEoMT
from mmvseg.registry import MODELS

REPOSITORY = Path(__file__).resolve().parents[2]
SECTIONS = tuple(SHARES)
#: Backbones that take long.
_LARGE = ('swin-l', 'vit-l')
_INFERRED = {'speed': 'no', 'compile': 'yes', 'graphs': 'CUDA graphs'}


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument(
        '--out', type=Path, default=Path('work_dirs/gpu_suite'), help='for suite.md and suite.json'
    )
    parser.add_argument('--minutes', type=float, default=8, help='time limit (default 8)')
    parser.add_argument(
        '--small', action='store_true', help='the models of configs/shapes; always so without a GPU'
    )
    parser.add_argument('--frames', type=int, help='length of the video (default 36; small: 8)')
    parser.add_argument(
        '--only', nargs='+', choices=SECTIONS, default=SECTIONS, help='parts of the suite'
    )
    parser.add_argument(
        '--models',
        nargs='+',
        default=[''],
        metavar='WORD',
        help='only configs with one of these words in the name, e.g. r50 (default: all)',
    )
    parser.add_argument('--device', help='cpu or cuda (default: a GPU if there is one)')
    return parser.parse_args()


@command_line
def main() -> int:
    args = parse_args()
    begin = time.monotonic()
    device = args.device or use_device()
    use_device(device)
    small = args.small or device == 'cpu'
    args.out.mkdir(parents=True, exist_ok=True)
    setting = Setting(
        device=device,
        size=(96, 128) if small else (360, 640),
        ori_size=(96, 128) if small else (720, 1280),
        num_frames=args.frames or (8 if small else 36),
        records=args.out / 'records.jsonl',
    )
    setting.records.write_text('')
    result = dict(
        environment=measure.environment(device),
        protocol=measure.PROTOCOL,
        size=setting.size,
        ori_size=setting.ori_size,
        frames=setting.num_frames,
        left_out=[],
    )
    print(measure.describe(result['environment']), flush=True)
    todo = jobs(args.only, configs(small, args.models), setting)
    plan = Plan(60 * args.minutes - (time.monotonic() - begin), list(todo))
    for job, run in todo.items():
        seconds, outcome = plan.start(job)
        if outcome is None:
            start = time.monotonic()
            outcome = run(seconds)
            if outcome is None:
                plan.note(job, time.monotonic() - start)
        if outcome:
            result['left_out'].append(f'{job}: {outcome}')
            print(f'{job}: {outcome}', flush=True)
        result['records'] = [
            json.loads(line) for line in setting.records.read_text().splitlines() if line
        ]
        # After every job, so that whatever ends the suite leaves what was measured.
        (args.out / 'suite.json').write_text(json.dumps(result, indent=1) + '\n')
        (args.out / 'suite.md').write_text(report(result))
    print('\n' + report(result) + f'\nwritten: {args.out}/suite.md, {args.out}/suite.json')
    return int(any(r['section'] == 'tests' and r['status'] for r in result['records']))


def jobs(
    sections: Sequence[str], models: list[Path], setting: Setting
) -> dict[Job, Callable[[float], str | None]]:
    """Functions of the seconds that they may take, which say what went wrong, if anything."""
    found: dict[Job, Callable[[float], str | None]] = {}
    for section in (s for s in SECTIONS if s in sections):
        if section == 'tests':
            found[Job(section)] = partial(run_tests, setting)
        elif section == 'decode':
            found[Job(section)] = partial(in_process, measure_decoding, (setting,))
        elif section == 'train':
            for path in models:
                found[Job(section, path.stem)] = partial(
                    in_process, measure_training, (setting, path)
                )
        else:
            for path in filter(_has_graphs, models) if section == 'graphs' else models:
                found[Job(section, path.stem)] = partial(
                    in_process, measure_inference, (setting, path, section)
                )
    return found


def _has_graphs(path: Path) -> bool:
    """Whether CUDA graphs are known for a config's model, see ``model_parts.graph_targets``."""
    return issubclass(MODELS.get(load_config(path).model.type), EoMT)


def configs(small: bool, words: Sequence[str] = ('',)) -> list[Path]:
    """Leaf configs of video models, one a class and backbone; large backbones come last.

    Args:
        small: whether those of ``configs/shapes``.
        words: one of them must be in a config's name.

    Raises:
        UserError: if there is none.
    """
    chosen = [path for path in _first_of_each(small) if any(word in path.stem for word in words)]
    if not chosen:
        raise UserError(f'{REPOSITORY}/configs: no config of a video model with {words} in it')
    return sorted(chosen, key=lambda path: any(word in path.stem for word in _LARGE))


@cache  # reading all configs takes seconds
def _first_of_each(small: bool) -> list[Path]:
    """Of the configs that share class and backbone, the first by name.

    Those with published numbers come before others.
    """
    found: dict[str, Path] = {}
    paths = REPOSITORY.glob('configs/shapes/*.py' if small else 'configs/*/*.py')
    published = {name for name, model in known_models().items() if model.numbers()}
    for path in sorted(paths, key=lambda path: (path.stem not in published, path)):
        folder = path.parent.name
        if folder == '_base_' or (folder == 'shapes') != small:
            continue
        cfg = load_config(path)
        cls = MODELS.get(cfg.model.type) if 'model' in cfg else None
        videos = cls is not None and issubclass(cls, VideoSegmentor)
        # neither models of images nor VidEoMT and PMT on single frames
        if videos and not issubclass(cls, ImageEoMT) and not cfg.model.get('frames_alone'):
            key = json.dumps([cfg.model.type, *_backbones(cfg.model)], sort_keys=True)
            found.setdefault(key, path)
    return list(found.values())


def _backbones(cfg: Any) -> Iterator[Any]:
    if isinstance(cfg, dict):
        for key, value in cfg.items():
            if key == 'backbone':
                yield value
            else:
                yield from _backbones(value)


def in_process(function: Callable[..., None], arguments: tuple, left: float) -> str | None:
    """Run in a fresh interpreter, which a crash or the end of the time takes along alone."""
    process = multiprocessing.get_context('spawn').Process(target=function, args=arguments)
    process.start()
    process.join(left)
    if process.is_alive():
        process.kill()
        process.join()
        return f'cut off after {left:.0f} s, its part of the minutes'
    return f'ended with status {process.exitcode}' if process.exitcode else None


def run_tests(setting: Setting, left: float) -> str | None:
    """The GPU tests, in a process of their own."""
    # Without the project's own -q: two of them hide the line that counts the tests.
    options = ['-q', '-o', 'addopts=', '-p', 'no:cacheprovider']
    command = [sys.executable, '-m', 'pytest', *options, 'tests/test_gpu']
    try:
        done = subprocess.run(
            command, cwd=REPOSITORY, timeout=left, capture_output=True, text=True, check=False
        )
    except subprocess.TimeoutExpired:
        return f'cut off after {left:.0f} s, its part of the minutes'
    lines = done.stdout.strip().splitlines()
    record(
        setting,
        section='tests',
        status=done.returncode,
        summary=lines[-1] if lines else done.stderr.strip(),
        failed=[line for line in lines if line.startswith(('FAILED', 'ERROR'))],
        output=done.stdout[-6000:] if done.returncode else '',
    )
    return None


def report(result: dict[str, Any]) -> str:
    """The suite's figures as Markdown."""
    by_section = {s: [r for r in result['records'] if r['section'] == s] for s in SECTIONS}
    size, ori_size = ('x'.join(map(str, result[key])) for key in ('size', 'ori_size'))
    lines = [
        f'{measure.describe(result["environment"])}.',
        f'Video of {result["frames"]} frames of noise of {size}, results at {ori_size}. '
        f'{result["protocol"]}',
    ]
    for tests in by_section['tests']:
        lines += [f'GPU tests: {tests["summary"]}', *tests['failed']]
    if any(by_section[section] for section in _INFERRED):
        lines += ['### Inference', _inference_table(by_section)]
    for decoding in by_section['decode']:
        lines.append(
            f'Decoding {ori_size} JPEG and resizing to {size} on one core: '
            f'{decoding["frames_per_s"]:.0f} frames/s.'
        )
    if by_section['train']:
        lines.append('### Training step')
        rows = [[*(r[key] for key in _TRAINED), *_cells(r, _TRAIN)] for r in by_section['train']]
        lines.append(measure.markdown_table([*_TRAINED.values(), *_TRAIN.values()], rows))
    if result['left_out']:
        lines += ['Left out:', '\n'.join(f'- {entry}' for entry in result['left_out'])]
    return '\n\n'.join(lines) + '\n'


_INFERENCE = {
    'frames_per_s': 'frames/s',
    'model_ms_per_frame': 'model ms/frame',
    'post_ms_per_frame': 'post ms/frame',
    'peak_memory_gb': 'peak GB',
    'first_call_s': 'first call s',
}
_TRAINED = {
    'model': 'model',
    'precision': 'precision',
    'clips': 'clips',
    'frames': 'frames a clip',
}
_TRAIN = {'step_s': 's/step', 'peak_memory_gb': 'peak GB'}


def _inference_table(by_section: dict[str, list[dict[str, Any]]]) -> str:
    rows = [
        [
            r['model'],
            r['precision'],
            compiled,
            *_cells(r, _INFERENCE),
        ]
        for section, compiled in _INFERRED.items()
        for r in by_section[section]
    ]
    return measure.markdown_table(['model', 'precision', 'compiled', *_INFERENCE.values()], rows)


def _cells(record: dict[str, Any], columns: dict[str, str]) -> list[str]:
    if 'error' in record:
        failed = 'failed: ' + record['error'].replace('|', '/')
        return [failed] + [''] * (len(columns) - 1)
    return [f'{record[key]:.3g}' for key in columns]


if __name__ == '__main__':
    main()
