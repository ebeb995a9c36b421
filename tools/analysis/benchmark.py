"""Speed, per-part breakdown and peak memory of a config's model, with random weights.

With ``--against`` also those of other programs, run in turn with it on the same frames.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from pathlib import Path
from typing import Any

import against
import measure
import model_parts
import numpy as np
import torch
from peers.mmvseg_version import timed

from mmvseg.commands.arguments import add_precision
from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.errors import UserError, command_line
from mmvseg.models.precision import inference
from mmvseg.models.segmentors.base import VideoSegmentor


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--frames', type=int, nargs='+', default=[8, 36], help='lengths of the video (default 8 36)'
    )
    parser.add_argument(
        '--size', type=parse_size, default=(360, 640), help='frame, resized, HxW (default 360x640)'
    )
    parser.add_argument(
        '--ori-size', type=parse_size, default=(720, 1280), help='result, HxW (default 720x1280)'
    )
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU if there is one)')
    parser.add_argument('--threads', type=int, help="CPU threads (default: torch's)")
    parser.add_argument(
        '--repeats', type=int, help='timed runs a length (default 3; with --against: rounds, 5)'
    )
    parser.add_argument('--video', help='take its first frames, resized (default: seeded noise)')
    parser.add_argument(
        '--against',
        action='append',
        default=[],
        metavar='COMMAND',
        help='time this in turn with the model, and print ratios; may be given several times. What '
        'it has to do: tools/analysis/peers/peer.py',
    )
    parser.add_argument('--out', type=Path, help='also write the figures to this JSON file')
    add_precision(parser)
    add_cfg_options(parser)
    args = parser.parse_args()
    args.precision = args.precision or 'fp32'
    args.repeats = (5 if args.against else 3) if args.repeats is None else args.repeats
    if min(args.frames) < 1 or args.repeats < 1:
        parser.error('--frames and --repeats must be at least 1')
    return args


def parse_size(text: str) -> tuple[int, int]:
    """(H, W) of an argument ``HxW``."""
    try:
        height, width = (int(number) for number in text.lower().split('x'))
    except ValueError:
        raise argparse.ArgumentTypeError(f'{text!r} is not HxW, as in 360x640') from None
    return height, width


@command_line
def main() -> None:
    args = parse_args()
    load_config(args.config, args.cfg_options)  # complain before anything is started
    args.device = args.device or use_device()
    use_device(args.device)
    if args.threads:
        os.environ['OMP_NUM_THREADS'] = str(args.threads)  # for the processes started below
        torch.set_num_threads(args.threads)
    source = args.video or 'noise'
    result = dict(
        config=args.config,
        protocol=f'{measure.PROTOCOL} Warmed up on a clip of 2 frames; median of {args.repeats}.',
        environment=measure.environment(args.device),
        source=source,
        precision=args.precision,
        size=args.size,
        ori_size=args.ori_size,
        runs=[],
    )
    sizes = f'frames {_by(args.size)} of {source}, results {_by(args.ori_size)}'
    print(f'{args.config}, {sizes}, {args.precision}')
    print(measure.describe(result['environment']))
    print(result['protocol'])
    for num_frames in args.frames:
        if args.against:
            rounds = compare(args, num_frames)
            result['runs'].append(against.as_record(rounds))
            print('\n' + against.report(rounds), flush=True)
            continue
        run = in_fresh_process(measure_video, args, num_frames)
        result['runs'].append(run)
        print('\n' + report(run), flush=True)
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(json.dumps(result, indent=1) + '\n')
        print(f'\nwritten: {args.out}')


def compare(args: argparse.Namespace, num_frames: int) -> against.Rounds:
    """Rounds of ours and all peers on one video."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'frames.npy'
        np.save(path, frames_of(args, num_frames).permute(0, 2, 3, 1).numpy())
        task = against.Task(str(path), args.ori_size, torch.get_num_threads(), args.device)
        cfg, name = load_config(args.config, args.cfg_options), Path(args.config).stem
        ours = partial(in_fresh_process, timed, cfg, task, name, args.precision)
        return against.take_turns(ours, args.against, task, args.repeats, num_frames)


def frames_of(args: argparse.Namespace, num_frames: int) -> torch.Tensor:
    """The video that is segmented, uint8, (T, 3, h, w)."""
    if args.video:
        return measure.read_frames(args.video, num_frames, args.size)
    return measure.noise(num_frames, args.size)


def in_fresh_process(function: Any, *arguments: Any) -> Any:
    """Call ``function`` in a new interpreter, whose peak memory is its own."""
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        try:
            return pool.submit(function, *arguments).result()
        except BrokenProcessPool as error:
            raise UserError(
                'the measuring process was killed, most likely for memory; use fewer --frames or '
                'a smaller --size'
            ) from error


def measure_video(args: argparse.Namespace, num_frames: int) -> dict[str, Any]:
    """All figures of videos of ``num_frames`` frames."""
    use_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    cfg = load_config(args.config, args.cfg_options)
    model, dtype = measure.build_for_inference(cfg, args.device, args.precision)
    with inference(dtype, torch.device(args.device)):
        return _measure(model, args, num_frames)


def _measure(model: VideoSegmentor, args: argparse.Namespace, num_frames: int) -> dict[str, Any]:
    frames = frames_of(args, num_frames)
    window = measure.window_of(frames, args.ori_size, range(num_frames), num_frames)
    result = dict(
        frames=num_frames,
        memory_before_gb=measure.resident_gb(),
    )
    measure.reset_peak_resident()
    model.predict([measure.make_window(2, args.size, args.ori_size)])  # warms up
    synchronize = measure.synchronizer(args.device)
    on_gpu = torch.device(args.device).type == 'cuda'
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    runs, parts = [], []
    for _ in range(args.repeats):
        # Waiting for the device around every part would slow down the whole: a run of its own.
        timer = model_parts.PartTimer([] if on_gpu else model_parts.parts_of(model))
        with timer, measure.elapsed(synchronize) as total:
            model.predict([window])
        runs.append(total)
        parts.append(timer.times)
    result['peak_memory_gb'] = measure.peak_resident_gb()
    if on_gpu:
        result['peak_gpu_memory_gb'] = torch.cuda.max_memory_allocated() / 1e9
        with model_parts.PartTimer(model_parts.parts_of(model), synchronize) as timer:
            model.predict([window])
        parts = [timer.times]
    wall = statistics.median(run.wall_s for run in runs)
    result.update(
        wall_s=wall,
        wall_range_s=[min(run.wall_s for run in runs), max(run.wall_s for run in runs)],
        cpu_s=statistics.median(run.cpu_s for run in runs),
        other_cores=max((run.other_cores or 0.0) for run in runs),
        frames_per_s=num_frames / wall,
        parts=_median_parts(parts),
    )
    if rle := _rle_time(result['parts']):
        result['wall_without_rle_s'] = wall - rle['wall_s']
        result['cpu_without_rle_s'] = result['cpu_s'] - rle['cpu_s']
    return result


def _median_parts(runs: list[dict[tuple[str, ...], model_parts.PartTime]]) -> list[dict[str, Any]]:
    """Median of each part over the runs, inner parts after the part that holds them."""
    paths = sorted(runs[0], key=list(runs[0]).index)
    return [
        dict(
            part=list(path),
            wall_s=statistics.median(times[path].wall_s for times in runs),
            cpu_s=statistics.median(times[path].cpu_s for times in runs),
            calls=runs[0][path].calls,
        )
        for path in paths
    ]


def _rle_time(parts: list[dict[str, Any]]) -> dict[str, float] | None:
    """What run-length coding takes, if the model's parts tell."""
    coding = [part for part in parts if part['part'][-1] == model_parts.RLE]
    return {key: sum(p[key] for p in coding) for key in ('wall_s', 'cpu_s')} if coding else None


def report(run: dict[str, Any]) -> str:
    """A run as text."""
    low, high = run['wall_range_s']
    lines = [
        f'## {run["frames"]} frames',
        f'{run["frames_per_s"]:.3g} frames/s: {run["wall_s"]:.2f} s ({low:.2f} - {high:.2f}), '
        f'{run["cpu_s"]:.2f} CPU s, {run["cpu_s"] / run["frames"]:.2f} CPU s a frame',
    ]
    if 'wall_without_rle_s' in run:
        lines.append(
            f'without run-length coding: {run["wall_without_rle_s"]:.2f} s, '
            f'{run["cpu_without_rle_s"]:.2f} CPU s'
        )
    lines.append(
        f'peak memory {run["peak_memory_gb"]:.2f} GB, '
        f'{run["peak_memory_gb"] - run["memory_before_gb"]:.2f} GB above the built model'
    )
    if 'peak_gpu_memory_gb' in run:
        lines.append(f'peak GPU memory {run["peak_gpu_memory_gb"]:.2f} GB')
    if run['other_cores'] > 0.12:
        lines.append(
            f'NOT CLEAN: other processes kept up to {run["other_cores"]} cores busy meanwhile'
        )
    return '\n'.join([*lines, '', parts_table(run)])


def parts_table(run: dict[str, Any]) -> str:
    """Parts of a run as a Markdown table, with what no part accounts for."""
    rows = []
    outer = [part for part in run['parts'] if len(part['part']) == 1]
    for part in outer:
        rows.append(_row(part['part'][0], part, run))
        inner = [p for p in run['parts'] if p['part'][:-1] == part['part']]
        rows += [_row(f'- of which {p["part"][-1]}', p, run) for p in inner]
    rest = {key: run[key] - sum(part[key] for part in outer) for key in ('wall_s', 'cpu_s')}
    rows.append(_row('other', rest, run))
    return measure.markdown_table(['part', 'wall s', 'share', 'CPU s'], rows)


def _row(name: str, part: dict[str, Any], run: dict[str, Any]) -> list[str]:
    share = part['wall_s'] / run['wall_s']
    return [name, f'{part["wall_s"]:.2f}', f'{share:.0%}', f'{part["cpu_s"]:.2f}']


def _by(size: tuple[int, int]) -> str:
    return 'x'.join(map(str, size))


if __name__ == '__main__':
    main()
