"""Make a data set of what labelling tools and other sets write.

What is written: annotations.json in the form of YouTube-VIS, the frames, and config.py, which
trains on them. An import that was interrupted goes on when it is started again. Without FORMAT the
files are looked at.

Example:
    mmvseg data import my_task.zip --out data/mine
    mmvseg data import cvat my_task.zip --out data/mine --video street.mp4
    mmvseg train data/mine/config.py
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mmvseg.errors import UserError, counted, one_line, say
from mmvseg.extensions import LABEL_FORMATS, names_of_others

from .data_split import split_size, tell_split
from .parser import UsageError

if TYPE_CHECKING:
    from mmvseg.apis.import_labels import Imported

# As in mmvseg.formats.labels.importers, which needs NumPy.
FORMATS = (
    'cvat',
    'mots',
    'davis',
    'coco',
    'bdd100k',
    'labelme',
    'labelstudio',
    'supervisely',
    'roboflow',
    'yolo-seg',
    'masks',
    'sam',
)
#: Of lines about what was left out, so many are shown; all are in a file.
_SHOWN = 20
LEFT_OUT = 'left_out.txt'
SAME_VIDEOS = 'AP will be of the videos that are trained on, and says nothing about new ones'
NEEDS_GPU = 'the config trains on a GPU, from published weights'
#: Trains within minutes, from weights that ship with mmvseg.
CPU_MODEL = 'minvis_shapes_quickstart'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the command."""
    known = [*FORMATS, *names_of_others(LABEL_FORMATS, FORMATS)]
    parser.add_argument(
        'what',
        nargs='+',
        metavar='[FORMAT] SRC',
        help=f'folder, zip archive or file of the labels; formats: {", ".join(known)}',
    )
    parser.add_argument('--out', type=Path, required=True, help='folder to write')
    parser.add_argument(
        '--frames', type=Path, help='folder or zip of the frames, if not beside the labels'
    )
    parser.add_argument(
        '--video', type=Path, help='the video file, or a folder of such: frames are extracted'
    )
    parser.add_argument(
        '--copy', action='store_true', help='copy frames; else they are hard links where possible'
    )
    parser.add_argument(
        '--skip-bad', action='store_true', help='leave out what is broken, and list it'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace an import in --out')
    parser.add_argument(
        '--model', help='config that config.py inherits from (default: videomt_vit-s_ytvis19)'
    )
    parser.add_argument(
        '--val',
        type=split_size,
        metavar='SIZE',
        help='videos to hold back for validation: their share below 1, or their number '
        '(as mmvseg data split does; default: none)',
    )
    only = parser.add_argument_group('of some formats')
    only.add_argument('--classes', type=Path, help='names of the classes: json or text')
    only.add_argument(
        '--with-confidence', action='store_true', help='yolo-seg: confidence stands before the id'
    )
    only.add_argument(
        '--keep-crowd',
        action='store_true',
        help='coco, roboflow: iscrowd means a crowd; tools set it on any run-length code',
    )
    only.add_argument(
        '--annotated-only',
        action='store_true',
        help='davis: frames without an annotation picture are left out',
    )
    only.add_argument(
        '--rgb-ids', action='store_true', help='masks: colours are ids, R + 256 G + 65536 B'
    )


def run(args: argparse.Namespace) -> None:
    """Run the command."""
    from mmvseg.apis.import_labels import SPECIAL, ImportRequest, import_labels
    from mmvseg.formats.labels.classes import read_classes
    from mmvseg.formats.labels.importers import describe, format_names

    *formats, source = args.what
    if len(formats) > 1:
        raise UsageError('give FORMAT SRC, or SRC alone')
    if formats and formats[0] not in format_names():
        raise UserError(f'{formats[0]}: no known format; they are {", ".join(format_names())}')
    special = {key: value for key in SPECIAL if (value := getattr(args, key))}
    if 'classes' in special:
        special['classes'] = read_classes(args.classes)
    request = ImportRequest(
        source=Path(source),
        out=args.out,
        format=formats[0] if formats else None,
        frames=args.frames,
        videos=args.video,
        copy=args.copy,
        skip_bad=args.skip_bad,
        overwrite=args.overwrite,
        val=args.val,
        special=special,
        **(dict(model=args.model) if args.model else {}),
    )
    try:
        imported = import_labels(request, lambda name: say(f'{source}: {name} ({describe(name)})'))
    except KeyboardInterrupt:
        say(f'{args.out}: what is done is kept; the same command goes on', sys.stderr)
        raise
    _tell(imported, args)


def _tell(imported: 'Imported', args: argparse.Namespace) -> None:
    """Say what there is, what was left out and what to do next."""
    report, out = imported.report, args.out
    objects = counted(sum(imported.objects.values()), 'objects')
    say(
        f'{out}: {counted(imported.videos, "videos")}, {counted(imported.frames, "frames")}, '
        f'{objects} of {counted(len(imported.objects), "classes")}'
    )
    for name, count in imported.objects.items():
        say(f'  {one_line(name)}: {count}')
    if imported.parts is not None:
        tell_split(imported.parts)
    for note in report.notes:
        say(f'note: {note}')
    for kind, count in sorted(report.ignored.items()):
        say(f'note: ignored, as it is no object with an area: {kind} ({count})')
    if imported.pictures < imported.frames:
        missing = counted(imported.frames - imported.pictures, 'frames')
        say(f'note: {missing} without a picture; give them with --frames or --video to train')
    path = out / LEFT_OUT
    path.unlink(missing_ok=True)  # of an import before
    if report.left_out:
        path.write_text('\n'.join(report.left_out) + '\n', encoding='utf-8')
        for line in report.left_out[:_SHOWN]:
            say(f'left out: {line}')
        rest = len(report.left_out) - _SHOWN
        say(f'{f"and {rest} more, " if rest > 0 else ""}listed in {path}')
    can_train = imported.pictures == imported.frames
    _tell_next(out, can_train)
    if can_train:
        _tell_of_training(imported, args.model)


def _tell_next(out: Path, can_train: bool) -> None:
    """Say which commands check, show and use what there is."""
    labels, frames, config, page = (
        shlex.quote(str(out / name)) for name in ('annotations.json', 'frames', 'config.py', 'page')
    )
    say(f'next: mmvseg check {labels} {frames}')
    say(f'      mmvseg data browse {labels} --root {frames} --out {page}')
    if can_train:
        say(f'      mmvseg train {config}')


def _tell_of_training(imported: 'Imported', model: str | None) -> None:
    """Say what its AP means, and where it runs."""
    if imported.parts is None:
        say(f'note: {SAME_VIDEOS}; to hold some back, import with --val 0.1 --overwrite')
    if model is None:
        say(f'note: {NEEDS_GPU}; to try it on a CPU, import with --model {CPU_MODEL} --overwrite')
