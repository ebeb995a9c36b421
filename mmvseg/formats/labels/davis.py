"""DAVIS, YouTube-VOS, MOSE and what SAM 2 writes: PNGs whose values are objects.

``Annotations/[<resolution>/]<video>/<frame>.png`` beside ``JPEGImages``, or ``<video>/<frame>.png``
alone. The index of a palette counts, not its colour; 255 is void. Objects are of one class, unless
``meta.json`` (YouTube-VOS) has theirs. Instead of one PNG a frame there may be a folder an object
(SAM 2). Of DAVIS, ``Annotations_unsupervised`` is taken where it is there: it has all objects.

Frames are the pictures. A missing PNG is a frame without objects; but where most are missing, as in
validation sets, which have the first alone, the frames are not annotated and the video is refused.
"""

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from mmvseg.errors import UserError
from mmvseg.formats.json_files import decode_json
from mmvseg.media.images import png_header

from .mask_layout import Root, find_roots, find_videos
from .mask_videos import MaskVideo, read_video
from .options import ImportOptions
from .records import LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, nfc

OPTIONS = frozenset({'annotated_only'})

#: Folders of masks, the better first, and of the pictures beside them.
_ROOTS = {'Annotations_unsupervised': 'JPEGImages', 'Annotations': 'JPEGImages'}
#: Class of objects that have none.
OBJECT = 'object'

#: Of each video the class of each object by its number.
Table = dict[str, dict[str, str]]


def recognises(source: Source) -> bool:
    """Whether there are PNGs in Annotations, or nothing but PNGs with a palette."""
    if find_roots(source, _ROOTS):
        return True
    files = list(source.files.values())
    if not files or any(file.suffix != '.png' for file in files):
        return False
    with files[0].open() as stream:
        header = png_header(stream.read(64))
    return header is not None and header.kind.startswith('palette')


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    roots = find_roots(source, _ROOTS) or [Root('', '', 'JPEGImages')]
    options.footage.leave_out(root.path for root in roots)
    tables = {root: _classes(source, root) for root in roots}
    found = {root: find_videos(source, root, report, tables[root] or ()) for root in roots}
    if not any(found.values()):
        raise UserError(f'{source.path}: no PNGs in Annotations/<video> or <video>')
    names: dict[str, None] = {}
    for table in tables.values():
        names |= dict.fromkeys(
            [OBJECT] if table is None else [name for of in table.values() for name in of.values()]
        )
    videos = [(video, tables[root]) for root in roots for video in found[root]]
    _note_lists(source, {video.name for video, _ in videos}, report)
    return Labels([LabelClass(name) for name in names], _videos(videos, options, report))


def _classes(source: Source, root: Root) -> Table | None:
    """The classes in the meta.json beside the masks; None if there are none."""
    file = source.get(root.base, 'meta.json')
    if file is None:
        return None
    content = decode_json(file.read_bytes(), file)
    try:
        objects = {nfc(name): video['objects'] for name, video in content['videos'].items()}
        if not any(isinstance(of, dict) for of in objects.values()):
            return None  # MOSE: lists of numbers
        return {
            name: {str(int(id_)): nfc(entry.get('category', OBJECT)) for id_, entry in of.items()}
            for name, of in objects.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f'{file}: must have "videos": {{name: {{"objects": {{"1": {{"category": ...}}}}}}}}, '
            'as that of YouTube-VOS'
        ) from error


def _note_lists(source: Source, videos: Collection[str], report: ImportReport) -> None:
    """Say which lists there are: all videos are read."""
    for file in source.of('.txt'):
        if 'ImageSets' not in file.folder.split('/'):
            continue
        text = nfc(file.read_bytes().decode('utf-8', 'replace'))
        listed = {*text.split(), *map(str.strip, text.splitlines())}  # names may have spaces
        count = len(listed & {*videos})
        if 0 < count < len(videos):
            report.note(
                f'all {len(videos)} videos are read; {file.name} lists {count} of them: mmvseg '
                'data subset --videos takes these'
            )


def _videos(
    videos: Sequence[tuple[MaskVideo, Table | None]], options: ImportOptions, report: ImportReport
) -> Iterator[PendingVideo]:
    for video, table in videos:
        yield PendingVideo(video.name, partial(_read_video, video, table, options, report))


def _read_video(
    video: MaskVideo, table: Table | None, options: ImportOptions, report: ImportReport
) -> LabelledVideo | None:
    classes = OBJECT if table is None else table.get(video.name)
    if classes is None:
        report.bad(video.path, 'the video is not in meta.json', video=video.name)
        return None
    labelled = read_video(
        video, classes, options.footage, report, annotated_only=options.annotated_only
    )
    if labelled is not None and table is not None:
        seen = {labelled_object.track.lstrip('0') for labelled_object in labelled.objects}
        for track in sorted(classes.keys() - seen):
            report.note(f'video {video.name}: object {track} of meta.json is in no mask')
    return labelled
