"""Rules for what a json of VIPSeg's form says about the frames and segments of one video."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .checker_parts import is_flag, is_number, is_whole
from .problems import Problem
from .vipseg_pixels import FramePixels

_LARGEST_ID = 2**24 - 1


class SegmentChecker:
    """One video under examination.

    Args:
        video: its id.
        images: its entry's ``images``.
        frames: its entry's ``annotations``; None if it has none.
        categories: entries of the json by id.
        file: the json, for messages.
    """

    def __init__(
        self,
        video: str,
        images: list,
        frames: list | None,
        categories: dict[int, dict],
        file: str,
    ) -> None:
        self.video = video
        self.images = images
        self.frames = frames
        self.categories = categories
        self.file = file
        self.size: tuple[int, int] | None = None
        self.class_of: dict[int, int] = {}
        self.crowd_of: dict[int, int] = {}
        self.id_of_stuff: dict[int, int] = {}
        self.told: set[tuple[int, int]] = set()  # second ids of stuff classes

    def check(self) -> Iterator[Problem]:
        """Yields problems; returns what is to be looked for in each frame's pixels."""
        pixels = [FramePixels(frame) for frame in range(len(self.images))]
        seen: dict[str, set] = dict(id=set(), file_name=set())
        for image, expected in zip(self.images, pixels, strict=True):
            yield from self._check_image(image, expected, seen)
        if self.frames is None:
            return pixels
        if len(self.frames) != len(self.images):
            rule = f'{len(self.frames)} entries, the video has {len(self.images)} frames'
            yield self._problem('annotations', rule)
        for entry, image, expected in zip(self.frames, self.images, pixels, strict=False):
            yield from self._check_frame(entry, image, expected)
        return pixels

    def _check_image(self, image: Any, expected: FramePixels, seen: dict) -> Iterator[Problem]:
        frame = expected.frame
        keys = ('id', 'width', 'height', 'file_name')
        missing = [key for key in keys if not isinstance(image, dict) or key not in image]
        if missing:
            yield self._problem(f'images[{frame}]', f'missing {", ".join(missing)}', frame)
            return
        if not isinstance(image['file_name'], str) or not image['file_name']:
            rule = f'{image["file_name"]!r} is not the name of a file'
            yield self._problem('file_name', rule, frame)
        else:
            expected.image = image['file_name']
        if not isinstance(image['id'], str) and not is_whole(image['id']):
            yield self._problem('id', f'{image["id"]!r} is neither a text nor an integer', frame)
        for key, known in seen.items():
            if isinstance(image[key], str | int):
                if image[key] in known:
                    yield self._problem(key, f'{image[key]!r} names two frames of the video', frame)
                known.add(image[key])
        wrong = [key for key in ('height', 'width') if not is_whole(image[key]) or image[key] < 1]
        for key in wrong:
            yield self._problem(key, f'{image[key]!r} is not a number of pixels', frame)
        if wrong:
            return
        expected.size = size = (image['height'], image['width'])
        self.size = self.size or size
        if size != self.size:
            rule = f'{size[0]} x {size[1]}, but the frames before are {self.size[0]} x '
            yield self._problem('height, width', f'{rule}{self.size[1]}', frame)

    def _check_frame(self, entry: Any, image: Any, expected: FramePixels) -> Iterator[Problem]:
        frame = expected.frame
        keys = ('image_id', 'file_name', 'segments_info')
        missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
        if missing:
            yield self._problem(f'annotations[{frame}]', f'missing {", ".join(missing)}', frame)
            return
        name, segments = entry['file_name'], entry['segments_info']
        image = image if isinstance(image, dict) else {}
        if entry['image_id'] != image.get('id', entry['image_id']):
            rule = f'{entry["image_id"]!r}, but the image in this place is {image["id"]!r}'
            yield self._problem('image_id', rule, frame)
        if not isinstance(name, str) or not name:
            yield self._problem('file_name', f'{name!r} is not the name of a file', frame)
        else:
            expected.mask = name
            if expected.image is not None and Path(name).stem != Path(expected.image).stem:
                rule = f'{name!r}, but the image in this place is {expected.image!r}'
                yield self._problem('file_name', rule, frame)
        if not isinstance(segments, list):
            yield self._problem('segments_info', 'is not a list', frame)
            expected.complete = False
            return
        for position, segment in enumerate(segments):
            rule = _form_rule(segment)
            if rule:
                expected.complete = False
                yield self._problem(f'segments_info[{position}]', rule, frame)
            elif segment['id'] in expected.segments:
                yield self._problem('id', 'listed twice', frame, segment['id'])
            else:
                expected.segments[segment['id']] = segment
                for field, rule in self._segment_rules(segment):
                    yield self._problem(field, rule, frame, segment['id'])

    def _segment_rules(self, segment: dict) -> Iterator[tuple[str, str]]:
        """Broken rules of a well-formed segment, seen from the frames before."""
        segment_id, category_id = segment['id'], segment['category_id']
        category = self.categories.get(category_id)
        if category is None:
            yield 'category_id', f'unknown category {category_id}'
        if category_id != (before := self.class_of.setdefault(segment_id, category_id)):
            yield 'category_id', f'{category_id}, but {before} in earlier frames'
        crowd = segment['iscrowd']
        if crowd != (before := self.crowd_of.setdefault(segment_id, crowd)):
            yield 'iscrowd', f'{crowd}, but {before} in earlier frames'
        if category is None or not is_flag(category.get('isthing')):
            return
        if segment.get('isthing', category['isthing']) != category['isthing']:
            rule = f'{segment["isthing"]!r}, but {category["isthing"]} in category {category_id}'
            yield 'isthing', rule
        if category['isthing']:
            return
        before = self.id_of_stuff.setdefault(category_id, segment_id)
        if segment_id != before and (category_id, segment_id) not in self.told:
            self.told.add((category_id, segment_id))
            yield 'id', f'stuff class {category_id} has the id {before} too; it needs a single one'

    def _problem(
        self, field: str, rule: str, frame: int | None = None, segment: int | None = None
    ) -> Problem:
        where = dict(video=self.video, frame=frame, segment=segment)
        return Problem(self.file, field, rule, **where)


def _form_rule(segment: Any) -> str | None:
    """The rule that an entry of ``segments_info`` breaks by itself."""
    keys = ('id', 'category_id', 'iscrowd', 'area')
    missing = [key for key in keys if not isinstance(segment, dict) or key not in segment]
    if missing:
        return f'missing {", ".join(missing)}'
    if not is_whole(segment['id']) or not 1 <= segment['id'] <= _LARGEST_ID:
        return f'id {segment["id"]!r} is not an integer from 1 to {_LARGEST_ID}'
    if not is_whole(segment['category_id']):
        return f'category_id {segment["category_id"]!r} is not an integer'
    if not is_flag(segment['iscrowd']):
        return f'iscrowd {segment["iscrowd"]!r} is neither 0 nor 1'
    if not is_number(segment['area']) or segment['area'] <= 0:
        return f'area {segment["area"]!r} is not a number above 0'
    box = segment.get('bbox')
    is_box = isinstance(box, list) and len(box) == 4 and all(map(is_number, box))
    if box is not None and not is_box:
        return f'bbox {box!r} is not [x, y, width, height]'
    return None
