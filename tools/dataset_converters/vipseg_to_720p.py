"""Resize VIPSeg to height 720: the raw release, or what the official conversion made of it.

Frames are resized with Pillow's bilinear filter, which averages where it shrinks, as in training;
masks to the nearest pixel. An interrupted run goes on where it stopped.

Example:
    python tools/dataset_converters/vipseg_to_720p.py data/VIPSeg/VIPSeg data/VIPSeg/VIPSeg_720P
"""

import argparse
import os
import time
from pathlib import Path

from mmvseg.datasets.vipseg_resize import resize_vipseg
from mmvseg.errors import UserError, command_line, say
from mmvseg.formats.vipseg_release import JSON_NAME, find_source
from mmvseg.progress import ProgressReport


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('src', type=Path, help='folder of the release')
    parser.add_argument('dst', type=Path, help='folder to write')
    parser.add_argument('--size', type=int, default=720, help='height in pixels (default 720)')
    parser.add_argument(
        '--jobs', type=int, default=os.cpu_count() or 1, help='processes (default: one a core)'
    )
    return parser.parse_args()


@command_line
def main() -> None:
    args = parse_args()
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


if __name__ == '__main__':
    main()
