"""Official results on disk: video by video while a test runs, in one file when it is done."""

import json
import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, whole_file, write_chunks
from mmvseg.structures import VideoResult

#: Partial files of all processes in a folder of results.
PARTIAL_FILES = 'results.partial.rank*.jsonl'

VideoId = int | str


class _Record(msgspec.Struct):
    """What a line of a partial file holds."""

    video_id: int | str
    entries: list


@dataclass
class _Line:
    """Where the result of a video is: bytes ``start`` to ``stop`` of a partial file."""

    path: Path
    start: int
    stop: int


class ResultsWriter(ABC):
    """Collects the results of videos on disk and joins them into one file.

    Each process appends to its own partial file, one line a video, on the disk before :meth:`add`
    returns. Killed at any moment, a run loses at most the video that it was writing; a later run,
    with any number of processes, finds the others in :meth:`finished`. A sub-class says what a
    line holds and what else belongs to a video.

    Args:
        out_dir: folder of the results; made if needed.
        metainfo: of the dataset; its ``category_ids`` are the ids that results may have;
            None stands for classes that it does not have.
        rank: number of this process.

    Raises:
        UserError: if the folder cannot be made.
    """

    #: Name of the joined file, and the text around its list of items.
    file_name: ClassVar[str]
    opening: ClassVar[bytes] = b'['
    closing: ClassVar[bytes] = b']'

    def __init__(self, out_dir: str | Path, metainfo: Mapping[str, Any], rank: int = 0) -> None:
        self.out_dir = Path(out_dir)
        self.metainfo = metainfo
        self.category_ids = frozenset(metainfo['category_ids']) - {None}
        self.partial_path = self.out_dir / PARTIAL_FILES.replace('*', str(rank))
        self._is_clean = False
        with file_errors(self.out_dir, SAME_COMMAND):
            self.out_dir.mkdir(parents=True, exist_ok=True)

    @property
    def results_path(self) -> Path:
        """The joined file."""
        return self.out_dir / self.file_name

    def finished(self) -> set[VideoId]:
        """Ids of the videos that are in a partial file of any process.

        A last line that a killed process left half-written does not count.

        Raises:
            UserError: if a partial file is damaged elsewhere or is of another data set.
        """
        return set(self._index())

    def add(self, video: Mapping[str, Any], result: VideoResult) -> None:
        """Write the result of a video to the disk.

        Args:
            video: the dataset's record of the video.
            result: of all its frames.

        Raises:
            UserError: if it cannot be written; the videos before it are safe.
        """
        record = dict(video_id=video['video_id'], entries=self._entries(video, result))
        line = json.dumps(record, separators=(',', ':')).encode() + b'\n'
        # Unbuffered: what a full disk refused must not reach the file later, behind our back.
        with (
            file_errors(self.partial_path, SAME_COMMAND),
            open(self.partial_path, 'ab', buffering=0) as file,
        ):
            if not self._is_clean:
                file.truncate(_end_of_lines(self.partial_path))
                self._is_clean = True
            start = file.seek(0, os.SEEK_END)
            try:
                write_chunks(file, [line])
            except OSError:
                file.truncate(start)
                raise

    def merge(self, video_ids: Sequence[VideoId]) -> Path:
        """Join the partial files of all processes into one file and remove them.

        Call it on one process, after all have finished.

        Args:
            video_ids: all videos, in the order wanted.

        Returns:
            The joined file. It appears complete or not at all.

        Raises:
            UserError: if a video is missing or unknown, or the file cannot be written; the partial
                files stay then.
        """
        index = self._index()
        missing = [video_id for video_id in video_ids if video_id not in index]
        foreign = sorted(index.keys() - set(video_ids), key=str)
        if missing:
            raise UserError(
                f'{self.out_dir}: {len(missing)} of {len(video_ids)} videos have no result, the '
                f'first is video {missing[0]}; run the test again, it continues'
            )
        if foreign:
            raise UserError(
                f'{self.out_dir}: has results of video {foreign[0]}, which is not in the data set; '
                'the folder belongs to another run, choose another one'
            )
        lines = ((video_id, index[video_id]) for video_id in video_ids)
        with (
            file_errors(self.results_path, SAME_COMMAND),
            whole_file(self.results_path, durable=True) as part,
            open(part, 'wb') as file,
        ):
            file.writelines(self._joined(lines))
        with file_errors(self.out_dir, SAME_COMMAND):
            for path in self._partial_paths():
                path.unlink()
        return self.results_path

    @abstractmethod
    def _entries(self, video: Mapping[str, Any], result: VideoResult) -> list:
        """What the line of a video holds; files beside it are on the disk on return."""

    @abstractmethod
    def _check(self, video_id: VideoId, entries: list) -> None:
        """Raise a ValueError, KeyError or TypeError where a line read is none of this data set."""

    @abstractmethod
    def _items(self, video_id: VideoId, entries: list) -> list:
        """What a video adds to the list of the joined file."""

    def _is_there(self, video_id: VideoId, entries: list) -> bool:
        """Whether the files beside the line of a video are there."""
        return True

    def _partial_paths(self) -> list[Path]:
        return sorted(self.out_dir.glob(PARTIAL_FILES))

    def _index(self) -> dict[VideoId, _Line]:
        """Where each finished video is. Holds one line in memory at a time."""
        index = {}
        for path in self._partial_paths():
            start = 0
            with file_errors(path, SAME_COMMAND), open(path, 'rb') as file:
                for number, line in enumerate(file, 1):
                    where = f'{path}: line {number}'
                    stop = start + len(line)
                    if line.endswith(b'\n'):  # else the process was killed while it wrote
                        video_id, entries = self._parse(line, where)
                        if video_id not in index and self._is_there(video_id, entries):
                            index[video_id] = _Line(path, start, stop)
                    start = stop
        return index

    def _parse(self, line: bytes, where: str) -> tuple[VideoId, list]:
        try:
            record = msgspec.json.decode(line, type=_Record)
            self._check(record.video_id, record.entries)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UserError(
                f'{where}: is no result of this data set ({error}); delete the file to test its '
                'videos again'
            ) from error
        return record.video_id, record.entries

    def _joined(self, lines: Iterable[tuple[VideoId, _Line]]) -> Iterator[bytes]:
        yield self.opening
        separator = b'\n'
        for video_id, line in lines:
            with open(line.path, 'rb') as file:
                file.seek(line.start)
                record = msgspec.json.decode(file.read(line.stop - line.start), type=_Record)
            for item in self._items(video_id, record.entries):
                yield separator + json.dumps(item, separators=(',', ':')).encode()
                separator = b',\n'
        yield b'' if separator == b'\n' else b'\n'
        yield self.closing + b'\n'


def _end_of_lines(path: Path) -> int:
    """Size without the half line that a killed process may have left at the end."""
    with open(path, 'rb') as file:
        return sum(len(line) for line in file if line.endswith(b'\n'))


def check_category(category_id: int, category_ids: frozenset[int]) -> None:
    """Raise a ValueError for an id that the data set does not have."""
    if category_id not in category_ids:
        raise ValueError(f'unknown category_id {category_id}')
