"""Write annotations or results in the files of labelling tools.

Results become drafts to correct: those that score high enough, one for each object. Input is an
annotation file in the form of YouTube-VIS, a results.json with --ann, or what mmvseg predict --json
writes of one video.

Example:
    mmvseg data export cvat results.json --ann val.json --out drafts
    mmvseg data import cvat drafts --frames data/mine/frames --out data/corrected
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import counted, one_line, say

from .arguments import finite_number

if TYPE_CHECKING:
    from mmvseg.apis.export_labels import Exported

# As in mmvseg.formats.label_exports.exporters and mmvseg.apis.export_drafts, which need NumPy.
FORMATS = ('cvat', 'mots', 'davis', 'coco', 'labelme')
MIN_SCORE = MAX_OVERLAP = 0.5
MIN_IOU = 0.98


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    parser.add_argument('format', choices=FORMATS, metavar='FORMAT', help=', '.join(FORMATS))
    parser.add_argument(
        'source', type=Path, metavar='ANNOTATIONS|RESULTS', help='json of what is to be exported'
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write, new or empty')
    parser.add_argument('--ann', type=Path, help='annotation file that a results.json belongs to')
    parser.add_argument(
        '--root', type=Path, help='folder of the frames; of predict --json also the video file'
    )
    parser.add_argument(
        '--allow-outside-root',
        action='store_true',
        help='also export frames that file names or links lead to outside of --root',
    )
    results = parser.add_argument_group('of results')
    results.add_argument(
        '--min-score', type=finite_number, help=f'lowest score of a draft (default: {MIN_SCORE})'
    )
    results.add_argument(
        '--max-overlap',
        type=finite_number,
        help='leave out what has more than this in common with a higher score, as tube IoU '
        f'(default: {MAX_OVERLAP})',
    )
    only = parser.add_argument_group('of some formats')
    only.add_argument(
        '--masks', action='store_true', help='write masks where the format also has polygons'
    )
    only.add_argument(
        '--min-iou',
        type=finite_number,
        help='what a simplified polygon has in common with its mask at least, as IoU; 1 is exact '
        f'(default: {MIN_IOU})',
    )
    only.add_argument('--with-frames', action='store_true', help='write the frames, too')


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.apis.export_drafts import DraftChoice
    from mmvseg.apis.export_labels import SPECIAL, ExportRequest, export_labels

    chosen = dict(min_score=args.min_score, max_overlap=args.max_overlap)
    chosen = {key: value for key, value in chosen.items() if value is not None}
    request = ExportRequest(
        format=args.format,
        source=args.source,
        out=args.out,
        ann=args.ann,
        root=args.root,
        allow_outside_root=args.allow_outside_root,
        choice=DraftChoice(**chosen) if chosen else None,
        special={
            key: value for key in SPECIAL if (value := getattr(args, key)) not in (None, False)
        },
    )
    _tell(export_labels(request), args.out)


def _tell(exported: 'Exported', out: Path) -> None:
    """Say what was written and what was not."""
    objects = counted(sum(exported.objects.values()), 'objects')
    say(
        f'{out}: {counted(exported.videos, "videos")}, {counted(exported.frames, "frames")}, '
        f'{objects} of {counted(len(exported.objects), "classes")}'
    )
    for name, count in exported.objects.items():
        say(f'  {one_line(name)}: {count}')
    for line in exported.left_out:
        say(f'left out: {line}')
    for kind, count in sorted(exported.report.ignored.items()):
        say(f'left out: {kind} ({count})')
    for note in exported.report.notes:
        say(f'note: {note}')
