"""Read a whole data set in the YouTube-VIS form and list every problem; exit status 1 if any.

Instance files of COCO are read as well, each image as a video of one frame.

Example:
    python tools/dataset_converters/check_dataset.py data/shapes/val.json data/shapes/val/JPEGImages
"""

import argparse
from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from mmvseg.datasets.dataset_checker import check_dataset
from mmvseg.datasets.youtube_vis_json import load_json
from mmvseg.errors import UserError, command_line


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('json', type=Path, help='annotation file')
    parser.add_argument('root', type=Path, nargs='?', help="folder of the file's file_names")
    parser.add_argument(
        '--no-frames', action='store_true', help='check the annotation file alone (fast)'
    )
    return parser.parse_args()


@command_line
def main() -> int:
    args = parse_args()
    if args.root is None and not args.no_frames:
        raise UserError('give the folder of the frames as ROOT, or --no-frames')
    if not args.no_frames and not args.root.is_dir():
        raise UserError(f'{args.root}: no such folder')
    fields: Counter[str] = Counter()
    # The bar goes to stderr, so that the list on stdout can be piped.
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task('checking')
        problems = check_dataset(
            args.json,
            None if args.no_frames else args.root,
            on_start=lambda steps: progress.update(task, total=steps),
            on_step=lambda: progress.advance(task),
        )
        for problem in problems:
            print(problem, flush=True)
            fields[problem.field.split('[')[0]] += 1
    if not fields:
        note = '' if load_json(args.json).get('annotations') else ' (it has no annotations)'
        print(f'{args.json}: no problems{note}')
        return 0
    counts = ', '.join(f'{count} in {field}' for field, count in fields.most_common())
    print(f'{args.json}: {fields.total()} problems: {counts}')
    return 1


if __name__ == '__main__':
    main()
