"""CocoVID: COCO's instances with a list of videos, as COCO and datumaro read them, too.

``annotations/instances_default.json`` has every mask as a compressed run-length code, exactly as it
is; frames lie in ``images/default/<video>/<frame>``, where datumaro and CVAT look for them. Objects
are counted over the file, as ``instance_id`` and, for CVAT, as the attribute ``track_id``.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from mmvseg.formats.labels.records import LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.report import ImportReport
from mmvseg.formats.youtube_vis_writer import annotation_lists

from .frames import copy_frames
from .options import Export, ExportOptions

OPTIONS = frozenset({'with_frames'})

SUBSET = 'default'


def write(export: Export, out: Path, options: ExportOptions, report: ImportReport) -> None:
    """See the package."""
    path = out / 'annotations' / f'instances_{SUBSET}.json'
    path.parent.mkdir()
    with path.open('w', encoding='utf-8') as file:
        _CocoWriter(file, export.classes).write(_copied(export, out, options))


def _copied(export: Export, out: Path, options: ExportOptions) -> Iterator[LabelledVideo]:
    """The videos, whose frames are copied if they are wanted."""
    for video in export.videos:
        if options.with_frames:
            copy_frames(video, out / 'images' / SUBSET / video.name)
        yield video


class _CocoWriter:
    """Writes a file in one go; annotations, which are most of it, come before videos and images.

    Args:
        file: to write to.
        classes: in the order of the file.
    """

    def __init__(self, file: IO[str], classes: list[LabelClass]) -> None:
        self.file, self.classes = file, classes
        self.ids = {one.name: one.id for one in classes}
        self.videos: list[dict[str, Any]] = []
        self.images: list[dict[str, Any]] = []
        self.count = self.objects = 0

    def write(self, videos: Iterator[LabelledVideo]) -> None:
        """Write all videos."""
        categories = [dict(id=one.id, name=one.name, **one.extra) for one in self.classes]
        self.file.write(f'{{"info":{{}},"licenses":[],"categories":{_json(categories)},\n')
        self.file.write('"annotations":[')
        for video in videos:
            self._add(video)
        self.file.write('\n],\n')
        self.file.write(f'"videos":{_json(self.videos)},\n"images":{_json(self.images)}}}\n')

    def _add(self, video: LabelledVideo) -> None:
        size = dict(height=video.height, width=video.width)
        entry = dict(id=len(self.videos) + 1, name=video.name, **size, **video.extra)
        first = len(self.images) + 1
        self.videos.append(entry)
        self.images += [
            dict(
                id=first + index,
                video_id=entry['id'],
                frame_id=index,
                file_name=f'{video.name}/{frame.name}',
                **size,
            )
            for index, frame in enumerate(video.frames)
        ]
        for labelled in video.objects:
            self._add_object(labelled, entry['id'], first)

    def _add_object(self, labelled: LabelledObject, video_id: int, first: int) -> None:
        self.objects += 1
        fixed = dict(
            video_id=video_id,
            category_id=self.ids[labelled.label],
            instance_id=self.objects,
            iscrowd=int(labelled.is_crowd),
            attributes=dict(track_id=self.objects),
            **labelled.extra,
        )
        lists = annotation_lists(labelled.rles)
        masks = zip(lists['segmentations'], lists['bboxes'], lists['areas'], strict=True)
        for frame, (code, box, area) in enumerate(masks):
            if code is None:
                continue
            self.count += 1
            places = dict(id=self.count, image_id=first + frame)
            mask = dict(segmentation=code, bbox=box, area=area)
            self.file.write(',\n' if self.count > 1 else '\n')
            self.file.write(_json(places | fixed | mask))


def _json(content: Any) -> str:
    return json.dumps(content, separators=(',', ':'), ensure_ascii=False)
