"""Finds every problem of a data set with a json file, instead of stopping at the first.

Files are told apart by their content: the YouTube-VIS form, COCO instance files as videos of one
frame, and VIPSeg's. Lists of videos in VSPW's form have a checker of their own.
"""

from collections.abc import Callable, Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError

from .checker_parts import check_categories, is_number, is_whole, no_annotations, picture_size
from .coco import coco_as_videos, is_coco
from .problems import Problem
from .rle import check_rle, to_rle
from .vipseg_checker import check_vipseg, is_vipseg
from .youtube_vis import check_form, load_json

#: How far, in pixels, a box may reach over the frame's edge: files round coordinates.
_BOX_TOLERANCE = 0.5
_LISTS = ('segmentations', 'bboxes', 'areas')


def check_dataset(
    ann_file: str | Path,
    root: str | Path | None,
    on_start: Callable[[int], None] = lambda steps: None,
    on_step: Callable[[], None] = lambda: None,
    masks: str | Path | None = None,
) -> Iterator[Problem]:
    """Read a whole data set.

    Args:
        ann_file: annotation file.
        root: folder that the ``file_names`` are relative to, in VIPSeg's form that of the videos'
            folders; None leaves frames and masks alone.
        on_start: called with the number of steps.
        on_step: called after each of them.
        masks: in VIPSeg's form, folder of the videos' masks; ``panomasksRGB`` beside ``root`` if
            None.

    Yields:
        Problems, in the order of the file: categories, annotations, then the videos' frames.

    Raises:
        UserError: if the file is of none of the forms at all.
    """
    content = load_json(ann_file)
    if is_coco(content):
        content = coco_as_videos(content, ann_file)
    if is_vipseg(content):
        del content  # it is read anew, and large
        yield from check_vipseg(ann_file, root, masks, on_start, on_step)
        return
    check_form(content, ann_file)
    annotations = content.get('annotations') or []
    name = str(ann_file)
    if not isinstance(annotations, list):
        raise UserError(f"annotation file {name}: 'annotations' is neither a list nor null")
    on_start(len(annotations) + len(content['videos']))
    if not annotations:
        yield no_annotations(name)
    category_ids = yield from check_categories(content['categories'], name)
    videos: dict[Any, dict] = {}
    for position, video in enumerate(content['videos']):
        yield from _check_video(video, position, videos, name)
    seen: set = set()
    for position, annotation in enumerate(annotations):
        yield from _Annotation(annotation, position, name).check(videos, category_ids, seen)
        on_step()
    with ThreadPoolExecutor() as pool:
        for video in videos.values():
            if root is not None:
                yield from _check_frames(video, Path(root), pool)
            on_step()


def _check_video(video: Any, position: int, videos: dict, file: str) -> Iterator[Problem]:
    """Yields problems; enters the video into ``videos`` if it can be looked into further."""
    keys = ('id', 'height', 'width', 'file_names')
    missing = [key for key in keys if not isinstance(video, dict) or key not in video]
    if missing:
        yield Problem(file, f'videos[{position}]', f'missing {", ".join(missing)}')
        return
    video_id, names = video['id'], video['file_names']
    if not is_whole(video_id):
        yield Problem(file, f'videos[{position}].id', f'{video_id!r} is not an integer')
        return
    if video_id in videos:
        yield Problem(file, 'id', 'duplicate video id', video=video_id)
        return
    for key in ('height', 'width'):
        if not is_whole(video[key]) or video[key] <= 0:
            yield Problem(file, key, f'{video[key]!r} is not a number of pixels', video=video_id)
            return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        yield Problem(file, 'file_names', 'is not a list of file names', video=video_id)
        return
    if not names:
        yield Problem(file, 'file_names', 'is empty: a video without frames', video=video_id)
    if len(set(names)) < len(names):
        yield Problem(file, 'file_names', 'names a frame twice', video=video_id)
    if video.get('length', len(names)) != len(names):
        rule = f'{video["length"]}, but there are {len(names)} file_names'
        yield Problem(file, 'length', rule, video=video_id)
    videos[video_id] = video


def _check_frames(video: dict, root: Path, pool: ThreadPoolExecutor) -> Iterator[Problem]:
    paths = [root / name for name in video['file_names']]
    expected = (video['height'], video['width'])
    for frame, (path, rule) in enumerate(
        zip(paths, pool.map(lambda path: _frame_rule(path, expected), paths), strict=True)
    ):
        if rule:
            yield Problem(str(path), 'frame', rule, video=video['id'], frame=frame)


def _frame_rule(path: Path, expected: tuple[int, int]) -> str | None:
    try:
        height, width = picture_size(path)
    except UserError as error:
        return str(error)
    if (height, width) != expected:
        return f'{height} x {width} pixels, the json says {expected[0]} x {expected[1]}'
    return None


class _Annotation:
    """One entry of ``annotations`` under examination."""

    def __init__(self, content: Any, position: int, file: str) -> None:
        self.content = content
        self.position = position
        self.file = file
        readable = content if isinstance(content, dict) else {}
        self.where = dict(video=readable.get('video_id'), annotation=readable.get('id'))

    def check(self, videos: dict, category_ids: Collection[int], seen: set) -> Iterator[Problem]:
        """Yields the entry's problems; ``seen`` collects the ids."""
        content = self.content
        needed = ('id', 'video_id', 'category_id', 'iscrowd', *_LISTS)
        missing = [key for key in needed if not isinstance(content, dict) or key not in content]
        if missing:
            rule = f'missing {", ".join(missing)}'
            yield Problem(self.file, f'annotations[{self.position}]', rule, **self.where)
            return
        yield from self._check_ids(videos, category_ids, seen)
        video = videos.get(content['video_id']) if is_whole(content['video_id']) else None
        if video is None:
            return
        length, whole = len(video['file_names']), True
        for field in _LISTS:
            values = content[field]
            if not isinstance(values, list) or len(values) != length:
                found = len(values) if isinstance(values, list) else type(values).__name__
                yield self._problem(field, f'{found} entries, the video has {length} frames')
                whole = False
        if not whole:
            return
        if length and all(entry is None for entry in content['segmentations']):
            yield self._problem('segmentations', 'the object is absent in every frame')
        for frame in range(length):
            yield from self._check_frame(frame, video)

    def _check_ids(
        self, videos: dict, category_ids: Collection[int], seen: set
    ) -> Iterator[Problem]:
        content = self.content
        for field in ('id', 'video_id', 'category_id'):
            if not is_whole(content[field]):
                yield self._problem(field, f'{content[field]!r} is not an integer')
                return
        if content['id'] in seen:
            yield self._problem('id', 'duplicate annotation id')
        if content['id'] == 0:
            yield self._problem('id', '0 is read as "unmatched" by the official evaluator')
        seen.add(content['id'])
        if content['video_id'] not in videos:
            yield self._problem('video_id', 'no such video')
        if content['category_id'] not in category_ids:
            yield self._problem('category_id', f'unknown category {content["category_id"]}')
        if content['iscrowd'] not in (0, 1):
            yield self._problem('iscrowd', f'{content["iscrowd"]!r} is neither 0 nor 1')

    def _check_frame(self, frame: int, video: dict) -> Iterator[Problem]:
        segmentation, box, area = (self.content[field][frame] for field in _LISTS)
        height, width = video['height'], video['width']
        given = [f for f in _LISTS if self.content[f][frame] is not None]
        if 0 < len(given) < len(_LISTS):
            absent = ', '.join(field for field in _LISTS if field not in given)
            yield self._problem(absent, f'null although {", ".join(given)} is given', frame)
        if segmentation is not None:
            try:
                check_rle(to_rle(segmentation, height, width))
            except ValueError as error:
                yield self._problem('segmentations', str(error), frame)
        if box is not None and (rule := _box_rule(box, height, width)):
            yield self._problem('bboxes', rule, frame)
        if area is not None and (not is_number(area) or area <= 0):
            yield self._problem('areas', f'{area!r} is not a number above 0', frame)

    def _problem(self, field: str, rule: str, frame: int | None = None) -> Problem:
        return Problem(self.file, field, rule, frame=frame, **self.where)


def _box_rule(box: Any, height: int, width: int) -> str | None:
    if not isinstance(box, list) or len(box) != 4 or not all(is_number(v) for v in box):
        return f'{box!r} is not [x, y, width, height]'
    x, y, box_width, box_height = box
    if box_width <= 0 or box_height <= 0:
        return f'{box} has no extent'
    overlap = max(-x, -y, x + box_width - width, y + box_height - height)
    if overlap > _BOX_TOLERANCE:
        return f'box {box} reaches outside of the {height} x {width} frame'
    return None
