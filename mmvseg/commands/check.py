"""Read a whole data set and list every problem; exit status 1 if any.

What is read is told by its content: json files in the form of YouTube-VIS, of COCO's instances
(each image as a video of one frame), of VIPSeg or of Cityscapes-VPS; lists of videos or folders in
VSPW's form; folders of maps, SEQUENCE/FRAME.png, in that of STEP.

Example:
    mmvseg check data/shapes/val.json data/shapes/val/JPEGImages
    mmvseg check data/VIPSeg/VIPSeg_720P/panoptic_gt_VIPSeg_val.json data/VIPSeg/VIPSeg_720P/images
    mmvseg check data/VSPW_480p/val.txt
    mmvseg check data/kitti_step/panoptic_maps/val data/kitti_step/images/val --classes kitti_step
"""

import argparse
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import UserError, counted, one_line, say

from .arguments import add_step_classes

if TYPE_CHECKING:
    from rich.progress import Progress

    from mmvseg.formats.problems import Problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument(
        'path',
        type=Path,
        help='annotation file; of VSPW a list of videos or the whole folder; of STEP the folder of '
        'the maps',
    )
    parser.add_argument(
        'root',
        type=Path,
        nargs='?',
        help="folder of the file's file_names; VIPSeg, STEP: of the videos' frames; VSPW: of the "
        'videos (default: data beside the list)',
    )
    parser.add_argument(
        '--masks',
        type=Path,
        help="VIPSeg: folder of the videos' masks (default: panomasksRGB beside ROOT); "
        'Cityscapes-VPS: of all masks (default: panoptic_video beside ROOT)',
    )
    add_step_classes(parser)
    parser.add_argument('--no-frames', action='store_true', help='open no frames and masks (fast)')
    parser.add_argument(
        '--allow-outside-root',
        action='store_true',
        help='do not mind file names and links that lead out of the folders',
    )


def run(args: argparse.Namespace) -> int:
    """Run the command; returns 1 if there are problems."""
    from rich.console import Console
    from rich.progress import Progress

    fields: Counter[str] = Counter()
    # The bar goes to stderr, so that the list on stdout can be piped.
    with Progress(console=Console(stderr=True), transient=True) as progress:
        for problem in _find_problems(args, progress):
            say(one_line(problem), flush=True)
            if not problem.is_note:
                fields[re.split(r'\[| \d', problem.field)[0]] += 1  # videos[3], line 3
    if not fields:
        say(f'{args.path}: no problems')
        return 0
    counts = ', '.join(f'{count} in {field}' for field, count in fields.most_common())
    say(f'{args.path}: {counted(fields.total(), "problems")}: {counts}')
    return 1


def _find_problems(args: argparse.Namespace, progress: 'Progress') -> Iterator['Problem']:
    from mmvseg.formats.dataset_checker import check_dataset
    from mmvseg.formats.panoptic import is_step
    from mmvseg.formats.step_checker import check_step
    from mmvseg.formats.vspw_checker import check_vspw, is_vspw

    task = progress.add_task('checking')
    options = dict(
        on_start=lambda steps: progress.update(task, total=steps),
        on_step=lambda: progress.advance(task),
        allow_outside_root=args.allow_outside_root,
    )
    if args.root is not None and not args.root.is_dir():
        raise UserError(f'{args.root}: no such folder')
    if args.masks is not None and not args.masks.is_dir():
        raise UserError(f'{args.masks}: no such folder')
    maps_alone = is_step(args.path)
    if args.classes and not maps_alone:
        raise UserError(f'--classes: has no meaning for {args.path}; leave it out')
    if is_vspw(args.path) and not maps_alone:
        return check_vspw(args.path, args.root, not args.no_frames, **options)
    if args.root is None and not args.no_frames:
        raise UserError('give the folder of the frames as ROOT, or --no-frames')
    root = None if args.no_frames else args.root
    if maps_alone:
        return check_step(args.path, root, args.classes, **options)
    return check_dataset(args.path, root, masks=args.masks, **options)
