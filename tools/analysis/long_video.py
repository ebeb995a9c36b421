"""Peak memory and speed of a config's model on videos of different lengths."""

import argparse
import json
import os
from collections.abc import Iterator
from itertools import count, cycle, islice
from pathlib import Path
from typing import Any

import cv2
import measure
import torch
from benchmark import in_fresh_process, parse_size

from mmvseg.checkpoints.loaders import load_weights
from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.errors import command_line
from mmvseg.media.any_source import as_source
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.structures import VideoInstances, VideoWindow

_COLUMNS = {
    'frames': 'frames',
    'frames_per_s': 'frames/s',
    'peak_memory_gb': 'peak GB',
    'peak_above_model_gb': 'above the model GB',
    'result_gb': 'result GB',
    'peak_gpu_memory_gb': 'peak GPU GB',
}


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--checkpoint', help='weights (default: random ones, whose masks are noise)'
    )
    parser.add_argument(
        '--video',
        help='a video or a folder of frames, shown to and fro (default: a moving picture)',
    )
    parser.add_argument(
        '--frames',
        type=int,
        nargs='+',
        default=[50, 200, 1000, 2000],
        help='lengths of the video (default 50 200 1000 2000)',
    )
    parser.add_argument(
        '--size', type=parse_size, default=(360, 640), help='frame, resized, HxW (default 360x640)'
    )
    parser.add_argument(
        '--ori-size', type=parse_size, default=(720, 1280), help='result, HxW (default 720x1280)'
    )
    parser.add_argument('--window', type=int, default=10, help='frames a window (default 10)')
    parser.add_argument(
        '--live', action='store_true', help='report each frame at once and keep no result'
    )
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU if there is one)')
    parser.add_argument('--threads', type=int, help="CPU threads (default: torch's)")
    parser.add_argument('--out', type=Path, help='also write the figures to this JSON file')
    add_cfg_options(parser)
    args = parser.parse_args()
    if min(*args.frames, args.window) < 1:
        parser.error('--frames and --window must be at least 1')
    return args


@command_line
def main() -> None:
    args = parse_args()
    load_config(args.config, args.cfg_options)  # complain before anything is started
    args.device = args.device or use_device()
    use_device(args.device)
    if args.threads:
        os.environ['OMP_NUM_THREADS'] = str(args.threads)  # for the processes started below
        torch.set_num_threads(args.threads)
    sizes = [f'{height}x{width}' for height, width in (args.size, args.ori_size)]
    picture = 'A picture of noise of 16 x 16 pixels a value that moves by 2 pixels a frame'
    protocol = (
        f'{args.config}, {args.checkpoint or "random weights"}. '
        f'{f"{args.video}, to and fro" if args.video else picture}, {sizes[0]}, results at '
        f'{sizes[1]}, windows of {args.window} frames that are made when they are needed; '
        + ('live, no result is kept' if args.live else 'results stay in memory until the end')
        + '. A process for each length.'
    )
    environment = measure.environment(args.device)
    print(measure.describe(environment))
    print(protocol + '\n')
    runs = []
    for num_frames in args.frames:
        runs.append(in_fresh_process(measure_length, args, num_frames))
        print(f'{num_frames} frames: {runs[-1]["wall_s"]:.1f} s', flush=True)
    print('\n' + report(runs))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        result = dict(environment=environment, protocol=protocol, runs=runs)
        args.out.write_text(json.dumps(result, indent=1) + '\n')
        print(f'\nwritten: {args.out}')


@torch.no_grad()
def measure_length(args: argparse.Namespace, num_frames: int) -> dict[str, Any]:
    """Memory and speed of one video of ``num_frames`` frames."""
    use_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    model = measure.build_model(load_config(args.config, args.cfg_options), args.device)
    if args.checkpoint:
        weights = load_weights(args.checkpoint)
        model.load_state_dict(weights.get('state_dict', weights))
    on_gpu = torch.device(args.device).type == 'cuda'
    built = measure.resident_gb()
    measure.reset_peak_resident()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats()
    with measure.elapsed(measure.synchronizer(args.device)) as time_taken:
        result_bytes = _segment(model, make_windows(num_frames, args), args.live)
    # the system counts pages with a delay: a peak may read a little below what was there before
    peak = max(built, measure.peak_resident_gb())
    run = dict(
        frames=num_frames,
        wall_s=time_taken.wall_s,
        frames_per_s=num_frames / time_taken.wall_s,
        other_cores=time_taken.other_cores,
        model_gb=built,
        peak_memory_gb=peak,
        peak_above_model_gb=peak - built,
        result_gb=result_bytes / 1e9,
    )
    if on_gpu:
        run['peak_gpu_memory_gb'] = torch.cuda.max_memory_allocated() / 1e9
    return run


def _segment(model: VideoSegmentor, windows: Iterator[VideoWindow], live: bool) -> int:
    """Run the model; bytes of the coded result that was in memory at the end."""
    if live:
        for _ in model.live(windows):
            pass
        return 0
    (sample,) = model.predict(windows)
    if not isinstance(sample.pred, VideoInstances):
        return sample.pred.maps.nbytes
    return sum(len(mask['counts']) for tube in sample.pred.masks for mask in tube if mask)


def make_windows(num_frames: int, args: argparse.Namespace) -> Iterator[VideoWindow]:
    """A video as windows, each made when it is asked for."""
    pictures = _video_pictures(args) if args.video else _moving_picture(args)
    for start in range(0, num_frames, args.window):
        stop = min(start + args.window, num_frames)
        frames = torch.stack(list(islice(pictures, stop - start)))
        yield measure.window_of(frames, args.ori_size, range(start, stop), video_length=num_frames)


def _moving_picture(args: argparse.Namespace) -> Iterator[torch.Tensor]:
    """Frames without end, (3, H, W) each."""
    height, width = args.size
    generator = torch.Generator().manual_seed(0)
    coarse = 255 * torch.rand(1, 3, -(-height // 16), -(-width // 16), generator=generator)
    picture = torch.nn.functional.interpolate(coarse, args.size, mode='bilinear')[0].byte()
    for frame in count():
        yield picture.roll(2 * frame, 2)


def _video_pictures(args: argparse.Namespace) -> Iterator[torch.Tensor]:
    """Frames of a video to and fro without end, (3, H, W) each."""
    size = args.size[::-1]
    frames = [cv2.resize(frame.image, size) for frame in as_source(args.video)]
    for frame in cycle([*frames, *frames[-2:0:-1]]):
        yield torch.from_numpy(frame).permute(2, 0, 1)


def report(runs: list[dict[str, Any]]) -> str:
    """The runs as a Markdown table."""
    columns = {key: title for key, title in _COLUMNS.items() if key in runs[0]}
    rows = [
        [f'{run[key]:.3g}' if isinstance(run[key], float) else run[key] for key in columns]
        for run in runs
    ]
    lines = [measure.markdown_table(list(columns.values()), rows)]
    if (other := max(run['other_cores'] or 0.0 for run in runs)) > 0.12:
        lines.append(f'NOT CLEAN: other processes kept up to {other} cores busy meanwhile')
    return '\n'.join(lines)


if __name__ == '__main__':
    main()
