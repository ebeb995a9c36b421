"""Measure how fast the training data of configs are made: CPU time of one process, clip by clip.

The data are made: videos of Shapes in the size of YouTube-VIS's, images in that of COCO's, masks as
run-length codes, with the classes of the config. The pipelines are the config's own.

Example:
    python tools/analysis/loader_speed.py configs/tevit/tevit_msgshift.py --clips 40
"""

import argparse
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from benchmark import parse_size
from made_clips import describe_frames, made_dataset, parts_of
from measure import describe, environment, markdown_table

from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.datasets import JointClipDataset, VideoDataset
from mmvseg.datasets.video_dataset import ClipIndex
from mmvseg.engine.config import load_config
from mmvseg.engine.workers import KEPT_BYTES
from mmvseg.errors import command_line
from mmvseg.ops.allocator import keep_freed_memory


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--size', type=parse_size, default=(720, 1280), help='of the videos, HxW')
    parser.add_argument('--image-size', type=parse_size, default=(480, 640), help="of COCO's, HxW")
    parser.add_argument('--quality', type=int, default=90, help='of the JPEGs, 1..100 (default 90)')
    parser.add_argument('--videos', type=int, default=3, help='that are made (default 3)')
    parser.add_argument('--clips', type=int, default=20, help='of each data set (default 20)')
    parser.add_argument('--data', type=Path, help='keep the made data here, and use them again')
    parser.add_argument(
        '--repeats', type=int, default=3, help='of each clip; the fastest counts (default 3)'
    )
    add_cfg_options(parser)
    args = parser.parse_args()
    if min(args.videos, args.clips, args.repeats) < 1:
        parser.error('--videos, --clips and --repeats must be at least 1')
    if not 1 <= args.quality <= 100:
        parser.error('--quality must be from 1 to 100')
    return args


@command_line
def main() -> None:
    args = parse_args()
    cv2.setNumThreads(0)  # as workers do
    torch.set_num_threads(1)
    keep_freed_memory(KEPT_BYTES)
    speeds, steps = [], []
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.data or Path(temporary)
        for path in args.configs:
            cfg = load_config(path, args.cfg_options)
            made = (args.size, args.image_size, args.videos, args.quality)
            dataset = made_dataset(cfg, folder, *made)
            times = {
                name: measure_clips(part, args.clips, args.repeats)
                for name, part in parts_of(dataset).items()
            }
            speeds.append(speed_row(path, dataset, times))
            steps += [step_row(path, name, seconds) for name, seconds in times.items()]
        sizes = ' '.join(map(describe_frames, sorted(folder.iterdir())))
    print(describe(environment('cpu')))
    print(f'{args.clips} clips of each data set, the fastest of {args.repeats} runs. {sizes}\n')
    print(markdown_table(('config', 'frames', 'CPU ms a clip', 'clips a second and core'), speeds))
    header = ('config', 'data set', 'CPU ms a clip by step', 'all')
    print('\n' + markdown_table(header, steps))


def speed_row(path: str, dataset: Any, times: dict[str, dict[str, float]]) -> tuple:
    """CPU time of a clip, the data sets drawn from as often as the config says."""
    parts = parts_of(dataset)
    weights = dataset.weights if isinstance(dataset, JointClipDataset) else np.ones(1)
    sums = [sum(steps.values()) for steps in times.values()]
    seconds = float((weights / weights.sum()) @ sums)
    frames = next(iter(parts.values())).clip.num_frames
    return Path(path).stem, frames, f'{1000 * seconds:.1f}', f'{1 / seconds:.2f}'


def step_row(path: str, name: str, seconds: dict[str, float]) -> tuple:
    """CPU time of a clip of one data set by step of its pipeline."""
    shown = ', '.join(f'{step} {1000 * value:.1f}' for step, value in seconds.items())
    return Path(path).stem, name, shown, f'{1000 * sum(seconds.values()):.1f}'


def measure_clips(dataset: VideoDataset, count: int, repeats: int) -> dict[str, float]:
    """Mean CPU seconds of a clip by step: the item's record, then each transform.

    Each clip is made several times, and each step counts as it was fastest: what other programs on
    the machine take is left out.
    """
    transforms = dataset.pipeline.transforms
    order = np.random.default_rng(0).permutation(len(dataset)).tolist()
    seconds: dict[str, float] = defaultdict(float)
    for draw in range(count):
        index = ClipIndex(order[draw % len(order)], 0, draw)
        runs = []
        for _ in range(repeats):
            runs.append(defaultdict(float))
            dataset.pipeline.transforms = [Timed(step, runs[-1]) for step in transforms]
            start = time.process_time()
            dataset.prepare_data(index)
            runs[-1]['record'] = time.process_time() - start - sum(runs[-1].values())
        for step in ('record', *(type(transform).__name__ for transform in transforms)):
            seconds[step] += min(run[step] for run in runs) / count
    dataset.pipeline.transforms = transforms
    return dict(seconds)


class Timed:
    """A transform that adds the CPU time of its calls to its name's."""

    def __init__(self, transform: Any, seconds: dict[str, float]) -> None:
        self.transform = transform
        self.seconds = seconds

    def __call__(self, results: dict) -> Any:
        start = time.process_time()
        results = self.transform(results)
        self.seconds[type(self.transform).__name__] += time.process_time() - start
        return results


if __name__ == '__main__':
    main()
