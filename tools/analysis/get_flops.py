"""Floating-point operations and parameters of a config's model, module by module.

Example:
    python tools/analysis/get_flops.py configs/dvis/dvis_offline_r50_ytvis19.py --frames 20
"""

import argparse
from pathlib import Path
from typing import Any

import mmcv
import torch
from measure import markdown_table
from mmengine.config import Config
from operations import (
    COUNTED,
    NOT_COUNTED,
    PRODUCTS,
    Operations,
    build_model,
    count_clip,
    padded_size,
)
from torch import nn

from mmvseg import __version__
from mmvseg.commands.cfg_options import add_cfg_options
from mmvseg.commands.parser import Parser
from mmvseg.engine.config import load_config
from mmvseg.errors import UserError, command_line
from mmvseg.files import check_writable, write_json

#: The video that the test pipeline is asked about, and the size where it does not tell, (H, W).
VIDEO_SIZE, DEFAULT_SIZE = (720, 1280), (360, 640)


def parse_args() -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument('config')
    parser.add_argument(
        '--size',
        type=int,
        nargs=2,
        metavar=('H', 'W'),
        help='frame, resized and not padded (default: what the test pipeline makes of a video of '
        '720x1280, else 360 640)',
    )
    parser.add_argument('--frames', type=int, default=5, help='length of the clip (default 5)')
    parser.add_argument(
        '--depth', type=int, default=2, help='levels of modules in the table (default 2)'
    )
    parser.add_argument('--out', type=Path, help='also write the figures to this JSON file')
    add_cfg_options(parser)
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
    if args.depth < 1:
        raise UserError(f'--depth {args.depth}: must be at least 1')
    cfg = load_config(args.config, args.cfg_options)
    if args.out:
        check_writable(args.out)
    model = build_model(cfg)
    size = tuple(args.size or test_size(cfg))
    operations = count_clip(model, args.frames, size)
    result = dict(
        config=args.config,
        frames=args.frames,
        size=size,
        padded_size=padded_size(model, size),
        flops=operations.total,
        flops_per_frame=operations.total / args.frames,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        modules=module_rows(model, operations, args.depth),
        post_processing_flops=operations.post_processing,
        counted=COUNTED,
        not_counted=NOT_COUNTED,
        versions=dict(mmvseg=__version__, torch=torch.__version__),
    )
    print(report(result))
    if args.out:
        write_json(args.out, result)


def test_size(cfg: Config) -> tuple[int, int]:
    """(h, w) that the test pipeline makes of a video of 720x1280, else 360x640."""
    dataset = (cfg.get('test_dataloader') or {}).get('dataset') or {}
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    for step in dataset.get('pipeline') or []:
        kind, scale = str(step.get('type')).rsplit('.', 1)[-1], step.get('scale')
        keeps_ratio = kind == 'ResizeClip' or (kind == 'Resize' and step.get('keep_ratio'))
        if keeps_ratio and isinstance(scale, list | tuple) and isinstance(scale[0], int):
            width, height = mmcv.rescale_size(VIDEO_SIZE[::-1], tuple(scale))
            return height, width
    return DEFAULT_SIZE


def module_rows(model: nn.Module, operations: Operations, depth: int) -> list[dict[str, Any]]:
    """Operations and parameters of the modules down to a depth, in the model's order."""
    rows = []
    for name, module in model.named_modules():
        flops = operations.by_module.get(name, 0)
        parameters = sum(parameter.numel() for parameter in module.parameters())
        if name and name.count('.') < depth and (flops or parameters):
            rows.append(dict(module=name, flops=flops, parameters=parameters))
    if products := operations.by_module.get(PRODUCTS):
        rows.append(dict(module=PRODUCTS, flops=products, parameters=0))
    return rows


def report(result: dict[str, Any]) -> str:
    """The figures as text."""
    total = dict(module='total', flops=result['flops'], parameters=result['parameters'])
    rows = [
        (
            row['module'],
            f'{row["flops"] / 1e9:.4g}',
            f'{row["flops"] / result["frames"] / 1e9:.4g}',
            f'{row["flops"] / max(result["flops"], 1):.1%}',
            f'{row["parameters"] / 1e6:.2f}',
        )
        for row in (*result['modules'], total)
    ]
    header = ('module', 'GFLOPs a clip', 'GFLOPs a frame', 'share', 'parameters, M')
    (height, width), padded = result['size'], result['padded_size']
    return '\n'.join(
        [
            f'{result["config"]}: {result["frames"]} frames of {height}x{width}, padded to '
            f'{padded[0]}x{padded[1]}',
            '',
            markdown_table(header, rows),
            '',
            f'Counted: {result["counted"]}.',
            f'Not counted: {result["not_counted"]}.',
        ]
    )


if __name__ == '__main__':
    main()
