"""Writing annotation files of the YouTube-VIS form, video by video, and going on after a stop.

Each finished video is a line of a journal beside the file; the file is made of it in the end.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, whole_file, write_chunks

#: Of compact json, which is what programs read.
_COMPACT = dict(separators=(',', ':'), ensure_ascii=False)


def annotation_lists(rles: Sequence[dict | None]) -> dict[str, list]:
    """The lists of an annotation, measured on its masks: segmentations, bboxes and areas.

    Args:
        rles: sound compressed code of each frame, None where the object is absent.
    """
    shown = [rle for rle in rles if rle is not None]
    boxes = iter(coco_mask.toBbox(shown).tolist() if shown else [])
    return dict(
        segmentations=[rle and dict(size=rle['size'], counts=_text(rle)) for rle in rles],
        bboxes=[rle and next(boxes) for rle in rles],
        # one by one: of more than 255 at once, pycocotools cannot tell the areas
        areas=[rle and int(coco_mask.area(rle)) for rle in rles],
    )


def _text(rle: dict) -> str:
    counts = rle['counts']
    return counts.decode('ascii') if isinstance(counts, bytes) else counts


class YouTubeVISJournal:
    """The videos of an annotation file that is being written.

    A line a video, on the disk before :meth:`add` returns. The first line says what is written, so
    that another run does not go on with something else.

    Args:
        path: the annotation file; the journal lies beside it.
        purpose: what is written; compared with that of a journal that is there.
        version: of what it is made of; a journal of another one begins anew.
        replace: whether a journal of another purpose begins anew, too. One without a video does so
            in any case.

    Attributes:
        finished: keys of the videos that are in the journal.
        is_outdated: whether videos of another version were there.

    Raises:
        UserError: the journal that is there is of another purpose, or cannot be read.
    """

    def __init__(
        self, path: Path, purpose: Mapping[str, Any], version: str = '', replace: bool = False
    ) -> None:
        self.path, self.journal = path, path.with_name(f'.{path.name}.journal')
        self.finished: set[str] = set()
        self.is_outdated = False
        first = dict(purpose=purpose, version=version)
        with file_errors(self.journal, SAME_COMMAND):
            path.parent.mkdir(parents=True, exist_ok=True)
            if not self.journal.exists() or not self._take_up(first, replace):
                self.journal.unlink(missing_ok=True)
                self._append(first)

    def add(self, key: str, video: dict, annotations: list[dict], **more: Any) -> None:
        """Write a video to the disk.

        Args:
            key: what tells it from others.
            video: its entry, without ``id``.
            annotations: its objects, without ``id``, ``video_id`` and ``category_id``, with the
                name of their class as ``category``.
            **more: what the caller wants back from :meth:`lines`.
        """
        self._append(dict(key=key, video=video, annotations=annotations, **more))
        self.finished.add(key)

    def lines(self) -> Iterator[dict]:
        """The videos so far, one by one, as they were added."""
        with self.journal.open('rb') as file:
            next(file)
            for line in file:
                yield json.loads(line)

    def finish(self, categories: Sequence[Mapping[str, Any]]) -> None:
        """Make the annotation file and remove the journal.

        Args:
            categories: their entries, all classes of the objects among them.
        """
        with (
            file_errors(self.path, SAME_COMMAND),
            whole_file(self.path) as part,
            part.open('w', encoding='utf-8') as file,
        ):
            for piece in self._pieces(categories):
                file.write(piece)
        self.journal.unlink()

    def _pieces(self, categories: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        """The annotation file, piece by piece."""
        ids = {category['name']: category['id'] for category in categories}
        yield '{"videos":[\n'
        for number, line in enumerate(self.lines(), start=1):
            yield ',\n' if number > 1 else ''
            yield json.dumps(dict(id=number, **line['video']), **_COMPACT)
        yield f'\n],\n"categories":{json.dumps(categories, **_COMPACT)},\n"annotations":[\n'
        count = 0
        for number, line in enumerate(self.lines(), start=1):
            for entry in line['annotations']:
                count += 1
                places = dict(id=count, video_id=number, category_id=ids[entry.pop('category')])
                yield ',\n' if count > 1 else ''
                yield json.dumps(places | entry, **_COMPACT)
        yield '\n]}\n'

    def _take_up(self, first: Mapping[str, Any], replace: bool) -> bool:
        """Go on with the journal that is there; False if it is to begin anew."""
        data = self.journal.read_bytes()
        whole = data[: data.rfind(b'\n') + 1]
        try:
            head, *lines = [json.loads(line) for line in whole.splitlines()]
            purpose, version = head['purpose'], head['version']
            finished = {line['key'] for line in lines}
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f'{self.journal}: not what an import leaves when it is interrupted; remove it'
            ) from error
        if purpose != json.loads(json.dumps(first['purpose'])):
            if replace or not finished:
                return False
            raise UserError(
                f'{self.journal}: another import into this folder was interrupted; finish it, '
                'choose another --out, or begin anew with --overwrite'
            )
        if version != first['version']:
            self.is_outdated = bool(finished)
            return False
        # a line that a stopped run left half-written is written again
        os.truncate(self.journal, len(whole))
        self.finished = finished
        return True

    def _append(self, record: Mapping[str, Any]) -> None:
        with (
            file_errors(self.journal, SAME_COMMAND),
            self.journal.open('ab', buffering=0) as file,
        ):
            write_chunks(file, [json.dumps(record, **_COMPACT).encode() + b'\n'])
