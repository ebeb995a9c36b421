"""SA-V, the data set of SAM 2: json files of run-length codes, or a folder of PNGs an object.

Training set: ``<video>_manual.json`` or ``<video>_auto.json``, with ``<video>.mp4`` or pictures in
``<video>``. Validation and test set: ``Annotations_6fps/<video>/<object>/<frame>.png``, where all
values but 0 are the object, and ``JPEGImages_24fps``.

Masks are made of every fourth frame; the others are no frames of the result. Objects have no class
and may overlap. Where a video has labels of both kinds, those that people made are read; the others
are, when their file is given itself.
"""

from collections.abc import Iterator
from functools import partial

from mmvseg.errors import UserError

from . import sam_json
from .davis import OBJECT
from .mask_layout import find_roots, find_videos
from .mask_videos import read_video
from .options import ImportOptions
from .records import LabelClass, Labels, PendingVideo
from .report import ImportReport
from .sources import Source

OPTIONS = frozenset()

_ROOTS = {'Annotations_6fps': 'JPEGImages_24fps'}


def recognises(source: Source) -> bool:
    """Whether there are masks in Annotations_6fps, or json files as those of SA-V."""
    return bool(find_roots(source, _ROOTS)) or sam_json.recognises(source)


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    return Labels([LabelClass(OBJECT)], _videos(source, options, report))


def _videos(source: Source, options: ImportOptions, report: ImportReport) -> Iterator[PendingVideo]:
    roots = find_roots(source, _ROOTS)
    files = sam_json.masklet_files(source, report)
    if not roots and not files:
        raise UserError(
            f'{source.path}: no PNGs in Annotations_6fps/<video>/<object>, and no '
            '<video>_manual.json or <video>_auto.json'
        )
    options.footage.leave_out(root.path for root in roots)
    for root in roots:
        for video in find_videos(source, root, report):
            read_it = partial(
                read_video, video, OBJECT, options.footage, report, annotated_only=True
            )
            yield PendingVideo(video.name, read_it)
    for name, file in files:
        read_it = partial(sam_json.read_video, name, file, OBJECT, options.footage, report)
        yield PendingVideo(name, read_it)
