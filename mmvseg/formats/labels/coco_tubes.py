"""The form of YouTube-VIS as other data sets have it (LV-VIS, SA-Co): an annotation is an object.

Frames are named in ``file_names``, perhaps with the separators of Windows and with folders above
those of the videos. Ids begin at 0 in some files. An object that two phrases fit is there twice.
"""

from collections import Counter
from functools import partial
from typing import Any

from msgspec import Struct

from mmvseg.errors import counted
from mmvseg.formats.json_files import Flag, Id, Side, Text

from .coco_file import (
    CocoFile,
    Exhaustiveness,
    Segmentation,
    decoded,
    exhaustiveness,
    folder_of,
)
from .coco_frames import find_frames
from .coco_identity import tell_crowds
from .coco_masks import MaskCollector
from .options import ImportOptions
from .records import LabelClass, LabelledVideo, PendingVideo
from .report import ImportReport
from .sources import nfc
from .video_builder import VideoBuilder


class TubeVideo(Exhaustiveness, kw_only=True):
    """An entry of ``videos`` that lists its frames."""

    id: Id
    file_names: list[Text]
    height: Side
    width: Side
    name: Text | None = None
    video_name: Text | None = None


class TubeHead(Struct):
    """What an annotation says beside its masks."""

    video_id: Id
    iscrowd: Flag | None = 0


class Tube(Struct):
    """An entry of ``annotations``: the masks of an object in all frames."""

    id: Id
    category_id: Id
    segmentations: list[Segmentation]
    iscrowd: Flag | None = 0


class NounPhrase(Struct):
    """A phrase of SA-Co that a video was searched for."""

    video_id: Id
    category_id: Id
    num_masklets: int | None = None


def read_tubes(
    coco: CocoFile,
    classes: dict[int, LabelClass],
    ids: dict[str, int],
    options: ImportOptions,
    report: ImportReport,
) -> list[PendingVideo]:
    """The videos of a file.

    Args:
        coco: the file.
        classes: by its ids.
        ids: of the classes in the result, by name.
        options: of the import.
        report: is told what is broken.
    """
    reader = _TubeReader(coco, classes, ids, options, report)
    names = reader.names()
    return [PendingVideo(names[id_], partial(reader.read, id_, names[id_])) for id_ in names]


class _TubeReader:
    """Reads the videos of a file; see :func:`read_tubes`."""

    def __init__(
        self,
        coco: CocoFile,
        classes: dict[int, LabelClass],
        ids: dict[str, int],
        options: ImportOptions,
        report: ImportReport,
    ) -> None:
        self.coco, self.file, self.classes, self.ids = coco, coco.file, classes, ids
        self.options, self.report = options, report
        self.videos: dict[int, TubeVideo] = {}
        for position, raw in enumerate(coco['videos']):
            place = f'videos[{position}]'
            video = decoded(raw, TubeVideo, self.file, place, report)
            if video is not None and video.id in self.videos:
                report.bad(self.file, f'{place}: the id {video.id} is there twice')
            elif video is not None:
                self.videos[video.id] = video
        self._group()
        self._take_phrases()

    def names(self) -> dict[int, str]:
        """What the videos are called, by id: their names, or the folders of their frames.

        Of several folders, the last one is the video's, unless two videos have it in common.
        """
        folders = {
            id_: folder_of(video.file_names[0]) if video.file_names else ''
            for id_, video in self.videos.items()
        }
        times = Counter(folder.rpartition('/')[2] for folder in folders.values())
        names = {}
        for id_, video in self.videos.items():
            last = folders[id_].rpartition('/')[2]
            folder = last if times[last] == 1 else folders[id_]
            names[id_] = nfc(video.video_name or video.name or folder or str(id_))
        return names

    def _group(self) -> None:
        """Positions of the annotations of each video."""
        self.positions: dict[int, list[int]] = {id_: [] for id_ in self.videos}
        crowds = 0
        for position, raw in enumerate(self.coco['annotations']):
            place = f'annotations[{position}]'
            head = decoded(raw, TubeHead, self.file, place, self.report)
            if head is not None and head.video_id not in self.positions:
                self.report.bad(self.file, f'{place}: there is no video {head.video_id}')
            elif head is not None:
                crowds += bool(head.iscrowd)
                self.positions[head.video_id].append(position)
        tell_crowds(self.file, crowds, self.options.keep_crowd, self.report)

    def _take_phrases(self) -> None:
        """Phrases that nothing in a video fits are classes that it certainly has not."""
        for position, raw in enumerate(self.coco['video_np_pairs']):
            place = f'video_np_pairs[{position}]'
            pair = decoded(raw, NounPhrase, self.file, place, self.report)
            if pair is None or pair.num_masklets != 0:
                continue
            video = self.videos.get(pair.video_id)
            if video is None:
                self.report.bad(self.file, f'{place}: there is no video {pair.video_id}')
                continue
            video.neg_category_ids = [*(video.neg_category_ids or ()), pair.category_id]

    def read(self, id_: int, name: str) -> LabelledVideo | None:
        """A video; None if it has no frames, which the report is told."""
        video, report = self.videos[id_], self.report
        if not video.file_names:
            report.bad(self.file, 'a video without frames', video=name)
            return None
        names = [(file_name, None) for file_name in video.file_names]
        is_only = len(self.videos) == 1
        frames = find_frames(self.options.footage, name, names, self.file, report, is_only)
        size = video.height, video.width
        collector = MaskCollector(VideoBuilder(name, size, frames, report, self.file))
        seen: set[int] = set()
        for position in self.positions[id_]:
            place = f'annotations[{position}]'
            raw = self.coco['annotations'][position]
            tube = decoded(raw, Tube, self.file, place, report, name)
            if tube is None:
                continue
            rule = self._rule(tube, len(frames), seen)
            if rule:
                report.bad(self.file, rule, video=name, track=tube.id)
            else:
                self._take(tube, collector)
            seen.add(tube.id)
        more = exhaustiveness(video, name, self.file, self.classes, self.ids, report)
        return collector.end().video(**more)

    def _rule(self, tube: Tube, length: int, seen: set[int]) -> str | None:
        """What is wrong with an object as a whole."""
        if tube.id in seen:
            return 'two annotations of the video have this id'
        if tube.category_id not in self.classes:
            return f'there is no category {tube.category_id}'
        if len(tube.segmentations) != length:
            entries = counted(len(tube.segmentations), 'entries')
            return f'segmentations has {entries}, the video has {counted(length, "frames")}'
        return None

    def _take(self, tube: Tube, collector: MaskCollector) -> None:
        more: dict[str, Any] = dict(is_crowd=self.options.keep_crowd and bool(tube.iscrowd))
        label = self.classes[tube.category_id].name
        collector.builder.declare(str(tube.id), label, **more)
        for frame, segmentation in enumerate(tube.segmentations):
            if segmentation:
                collector.add(str(tube.id), label, frame, segmentation, **more)
