"""Where the time of a training iteration goes: data, network, matching, losses, backward, step.

The data are made, as for loader_speed.py, and come from the config's own pipelines; weights are
random. Each config runs in a process of its own.

Example:
    python tools/analysis/train_time.py configs/minvis/minvis_r50_ytvis19.py --threads 1
"""

import argparse
import functools
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import measure
import torch
import training
from benchmark import in_fresh_process
from made_clips import describe_frames, made_dataset
from mmengine.dataset import pseudo_collate

from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.datasets.video_dataset import ClipIndex
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.errors import command_line
from mmvseg.models.heads import tevit_roi_head
from mmvseg.models.segmentors.base import VideoSegmentor

PARTS = ('data', 'network', 'matching', 'losses', 'backward', 'step')


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('configs', nargs='+')
    parser.add_argument('--clips', type=int, help="of an iteration (default: the config's)")
    parser.add_argument('--iterations', type=int, default=3, help='after a first one (default 3)')
    parser.add_argument('--precision', choices=training.PRECISIONS, default='fp32')
    parser.add_argument('--guided', action='store_true', help='DVIS in the first half of training')
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU if there is one)')
    parser.add_argument('--threads', type=int, help="CPU threads (default: torch's)")
    parser.add_argument('--data', type=Path, help='keep the made data here, and use them again')
    add_cfg_options(parser)
    args = parser.parse_args()
    if min(args.clips or 1, args.iterations) < 1:
        parser.error('--clips and --iterations must be at least 1')
    return args


@command_line
def main() -> None:
    args = parse_args()
    args.device = args.device or use_device()
    use_device(args.device)
    if args.threads:
        os.environ['OMP_NUM_THREADS'] = str(args.threads)  # for the processes started below
        torch.set_num_threads(args.threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.data or Path(temporary)
        rows = [in_fresh_process(measure_config, args, config, folder) for config in args.configs]
        sizes = ' '.join(map(describe_frames, sorted(folder.iterdir())))
    print(measure.describe(measure.environment(args.device)))
    print(f'Milliseconds of an iteration in {args.precision}. {sizes}\n')
    print(measure.markdown_table(('config', 'clips x frames', *PARTS, 'sum'), rows))


class Clock:
    """Time of parts of a program; what a part spends in another counts for the other.

    Attributes:
        seconds: of each part, wall time on a GPU, else CPU time of all threads.
    """

    def __init__(self, device: str) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._read = time.perf_counter if device.startswith('cuda') else time.process_time
        self._synchronize = measure.synchronizer(device)
        self._open: list[str] = []
        self._last = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count for this part."""
        self._count()
        self._open.append(name)
        yield
        self._count()
        self._open.pop()

    def timed(self, name: str, function: Callable) -> Callable:
        """A function whose calls count for a part."""

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self.part(name):
                return function(*args, **kwargs)

        return call

    def _count(self) -> None:
        self._synchronize()
        now = self._read()
        if self._open:
            self.seconds[self._open[-1]] += now - self._last
        self._last = now


def measure_config(args: argparse.Namespace, config: str, folder: Path) -> tuple:
    """A row of the table."""
    use_device(args.device)
    torch.set_num_threads(args.threads or torch.get_num_threads())
    cv2.setNumThreads(0)
    cfg = load_config(config, args.cfg_options)
    dataset = made_dataset(cfg, folder)
    model = measure.build_model(cfg, args.device)
    clock = Clock(args.device)
    watch(model, clock)
    clips = args.clips or cfg.train_dataloader.batch_size
    iterate = training_iteration(model, clock, args)
    for number in range(1 + args.iterations):
        if number == 1:
            clock.seconds.clear()
        with clock.part('data'):
            draws = range(clips * number, clips * (number + 1))
            items = [ClipIndex(3 * draw % len(dataset), 0, draw) for draw in draws]
            batch = pseudo_collate([dataset[item] for item in items])
        iterate(batch)
    milliseconds = [1000 * clock.seconds[part] / args.iterations for part in PARTS]
    shown = [f'{value:.0f}' for value in (*milliseconds, sum(milliseconds))]
    return Path(config).stem, f'{clips} x {training.clip_length(cfg)}', *shown


def watch(model: VideoSegmentor, clock: Clock) -> None:
    """Let the matching and the losses of a model count apart from its network."""
    if hasattr(model, 'criterion'):
        matcher = model.criterion.matcher
        matcher.assign = clock.timed('matching', matcher.assign)
        model.criterion.forward = clock.timed('losses', model.criterion.forward)
    else:
        head = model.roi_head
        tevit_roi_head.stage_targets = clock.timed('matching', tevit_roi_head.stage_targets)
        for name in ('_box_losses', '_mask_loss'):
            setattr(head, name, clock.timed('losses', getattr(head, name)))


def training_iteration(
    model: VideoSegmentor, clock: Clock, args: argparse.Namespace
) -> Callable[[dict[str, Any]], None]:
    """A function that trains on a batch, as :func:`training.training_step` does."""
    model.train()
    if hasattr(model, 'guided_matching'):
        model.guided_matching = args.guided
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-6)
    scaler = torch.amp.GradScaler(args.device, enabled=args.precision == 'fp16')

    def iterate(batch: dict[str, Any]) -> None:
        with clock.part('network'), training.autocast(args.device, args.precision):
            losses = model(**model.data_preprocessor(batch, training=True), mode='loss')
            loss, _ = model.parse_losses(losses)
        with clock.part('backward'):
            scaler.scale(loss).backward()
        with clock.part('step'):
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()

    return iterate


if __name__ == '__main__':
    main()
