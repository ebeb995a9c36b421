"""Resize VIPSeg to height 720.

The source is the raw release, or what the official conversion made of it. Frames are resized with
Pillow's bilinear filter, which averages where it shrinks, as in training; masks to the nearest
pixel. An interrupted run goes on where it stopped.

Example:
    mmvseg vipseg720 data/VIPSeg/VIPSeg data/VIPSeg/VIPSeg_720P
"""

import argparse
import os
import time
from pathlib import Path

from mmvseg.errors import UserError, say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('src', type=Path, help='folder of the release')
    parser.add_argument('dst', type=Path, help='folder to write')
    parser.add_argument('--size', type=int, default=720, help='height in pixels (default 720)')
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count() or 1, help='processes (default: one a core)'
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.datasets.vipseg_resize import resize_vipseg
    from mmvseg.formats.vipseg_release import JSON_NAME, find_source
    from mmvseg.progress import ProgressReport

    for name in ('size', 'jobs'):
        if getattr(args, name) < 1:
            raise UserError(f'--{name} {getattr(args, name)}: must be at least 1')
    source = find_source(args.src)
    start_s = time.monotonic()
    with ProgressReport('resizing', len(source.frames)) as progress:
        resize_vipseg(source, args.dst, args.size, args.jobs, progress.advance)
    files = ', '.join(JSON_NAME.format(split.name) for split in source.splits)
    rate = len(source.frames) / (time.monotonic() - start_s)
    say(f'{args.dst}: {files}, frames and masks are there ({rate:.1f} frames/s)')
