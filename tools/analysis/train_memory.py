"""Peak memory of a training step of configs, with random weights, each as it trains."""

import argparse
import itertools
import json
import os
from pathlib import Path
from typing import Any

import measure
import torch
import training
from benchmark import in_fresh_process, parse_size

from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.engine.device import use_device
from mmvseg.errors import command_line

_COLUMNS = {
    'config': 'config',
    'clips': 'clips',
    'frames': 'frames a clip',
    'precision': 'precision',
    'trainable_m': 'trainable M',
    'model_gb': 'model GB',
    'peak_gb': 'peak GB',
    'above_model_gb': 'above the model GB',
    'step_s': 's/step',
}


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('configs', nargs='+')
    parser.add_argument(
        '--size', type=parse_size, default=(360, 640), help='frame, HxW (default 360x640)'
    )
    parser.add_argument('--clips', type=int, nargs='+', default=[1], help='of a step (default 1)')
    parser.add_argument('--frames', type=int, help="of a clip (default: the config's)")
    parser.add_argument('--objects', type=int, default=4, help='in every frame (default 4)')
    parser.add_argument('--precision', choices=training.PRECISIONS, default='fp32')
    parser.add_argument('--device', help='cpu, cuda or cuda:N (default: a GPU if there is one)')
    parser.add_argument('--threads', type=int, help="CPU threads (default: torch's)")
    parser.add_argument('--out', type=Path, help='also write the figures to this JSON file')
    add_cfg_options(parser)
    args = parser.parse_args()
    if min(*args.clips, args.frames or 1, args.objects) < 1:
        parser.error('--clips, --frames and --objects must be at least 1')
    return args


@command_line
def main() -> None:
    args = parse_args()
    lengths = {
        config: args.frames or training.clip_length(load_config(config, args.cfg_options))
        for config in args.configs
    }
    args.device = args.device or use_device()
    use_device(args.device)
    if args.threads:
        os.environ['OMP_NUM_THREADS'] = str(args.threads)  # for the processes started below
        torch.set_num_threads(args.threads)
    environment = measure.environment(args.device)
    memory = 'GPU memory of tensors' if args.device.startswith('cuda') else 'resident memory'
    protocol = (
        f'Two steps of AdamW on noise of {args.size[0]}x{args.size[1]} with {args.objects} objects '
        f'a frame, random weights; {memory}, a process for each row.'
    )
    print(measure.describe(environment))
    print(protocol + '\n', flush=True)
    runs = []
    for config, num_clips in itertools.product(lengths, args.clips):
        runs.append(in_fresh_process(measure_step, args, config, lengths[config], num_clips))
        print(f'{runs[-1]["config"]}, {num_clips} clips: done', flush=True)
    print('\n' + report(runs))
    if args.out:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        result = dict(environment=environment, protocol=protocol, runs=runs)
        args.out.write_text(json.dumps(result, indent=1) + '\n')
        print(f'\nwritten: {args.out}')


def measure_step(
    args: argparse.Namespace, config: str, num_frames: int, num_clips: int
) -> dict[str, Any]:
    """Memory of a step, the optimizer's state included."""
    use_device(args.device)
    if args.threads:
        torch.set_num_threads(args.threads)
    model = measure.build_model(load_config(config, args.cfg_options), args.device)
    batch = training.make_batch(num_clips, num_frames, args.size, args.objects)
    step = training.training_step(model, batch, args.device, args.precision)
    built = measure.memory_gb(args.device)
    measure.reset_peak(args.device)
    step()
    with measure.elapsed(measure.synchronizer(args.device)) as second:
        step()
    peak = measure.peak_gb(args.device)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return dict(
        config=Path(config).stem,
        clips=num_clips,
        frames=num_frames,
        precision=args.precision,
        trainable_m=trainable / 1e6,
        model_gb=built,
        peak_gb=peak,
        above_model_gb=peak - built,
        step_s=second.wall_s,
    )


def report(runs: list[dict[str, Any]]) -> str:
    """The runs as a Markdown table."""
    rows = [
        [f'{run[key]:.3g}' if isinstance(run[key], float) else run[key] for key in _COLUMNS]
        for run in runs
    ]
    return measure.markdown_table(list(_COLUMNS.values()), rows)


if __name__ == '__main__':
    main()
