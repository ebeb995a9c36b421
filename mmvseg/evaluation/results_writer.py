"""Official results on disk: video by video while a test runs, in one file when it is done."""

import json
import math
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mmvseg.errors import UserError


@dataclass
class _Line:
    """Where the result of a video is: bytes ``start`` to ``stop`` of a partial file."""

    path: Path
    start: int
    stop: int


class ResultsWriter:
    """Collects the results of videos on disk and joins them into a ``results.json``.

    Each process appends to its own partial file, one line a video, on the disk before :meth:`add`
    returns. Killed at any moment, a run loses at most the video that it was writing; a later run,
    with any number of processes, finds the others in :meth:`finished`.

    Args:
        out_dir: folder of the results; made if needed.
        category_ids: the category ids that entries may have.
        rank: number of this process.

    Raises:
        UserError: if the folder cannot be made.

    Example:
        >>> writer = ResultsWriter('results', category_ids=[1, 2])
        >>> for video_id in (7, 8):
        ...     if video_id not in writer.finished():
        ...         writer.add(video_id, [])
        >>> writer.merge([7, 8])
        PosixPath('results/results.json')
    """

    def __init__(self, out_dir: str | Path, category_ids: Sequence[int], rank: int = 0) -> None:
        self.out_dir = Path(out_dir)
        self.category_ids = frozenset(category_ids)
        self.partial_path = self.out_dir / f'results.partial.rank{rank}.jsonl'
        self._is_clean = False
        with _explained(self.out_dir):
            self.out_dir.mkdir(parents=True, exist_ok=True)

    @property
    def results_path(self) -> Path:
        """The joined file."""
        return self.out_dir / 'results.json'

    def finished(self) -> dict[int, list[dict]]:
        """The entries of each video that is in a partial file of any process, by video id.

        A last line that a killed process left half-written does not count.

        Raises:
            UserError: if a partial file is damaged elsewhere or is of another data set.
        """
        return {video_id: self._read(line) for video_id, line in self._index().items()}

    def add(self, video_id: int, entries: Sequence[dict]) -> None:
        """Write the result of a video to the disk.

        Args:
            video_id: the video's id in the annotation file.
            entries: official result entries of this video; an empty list if nothing was found.

        Raises:
            UserError: if it cannot be written; the videos before it are safe. Also if a score is
                not finite.
            ValueError: if an entry is of another video or has an unknown category.
        """
        self._check(video_id, entries)
        if not all(math.isfinite(entry['score']) for entry in entries):
            raise UserError(
                f'video {video_id}: a score is not finite; the checkpoint holds NaN or overflows '
                'in half precision'
            )
        record = dict(video_id=video_id, entries=list(entries))
        line = json.dumps(record, separators=(',', ':')).encode() + b'\n'
        # Unbuffered: what a full disk refused must not reach the file later, behind our back.
        with _explained(self.partial_path), open(self.partial_path, 'ab', buffering=0) as file:
            if not self._is_clean:
                file.truncate(_end_of_lines(self.partial_path))
                self._is_clean = True
            start = file.seek(0, os.SEEK_END)
            try:
                _write(file, [line])
            except OSError:
                file.truncate(start)
                raise

    def merge(self, video_ids: Sequence[int]) -> Path:
        """Join the partial files of all processes into ``results.json`` and remove them.

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
        foreign = sorted(index.keys() - set(video_ids))
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
        with _explained(self.results_path), _replacing(self.results_path) as file:
            _write(file, self._joined(index[video_id] for video_id in video_ids))
        with _explained(self.out_dir):
            for path in self._partial_paths():
                path.unlink()
        return self.results_path

    def zip(self) -> Path:
        """:func:`zip_results` of the folder."""
        return zip_results(self.out_dir)

    def _check(self, video_id: int, entries: Sequence[dict]) -> None:
        for entry in entries:
            if entry['video_id'] != video_id:
                raise ValueError(f'an entry of video {entry["video_id"]} among those of {video_id}')
            if entry['category_id'] not in self.category_ids:
                raise ValueError(f'video {video_id}: unknown category_id {entry["category_id"]}')

    def _partial_paths(self) -> list[Path]:
        return sorted(self.out_dir.glob('results.partial.rank*.jsonl'))

    def _index(self) -> dict[int, _Line]:
        """Where each finished video is. Holds one line in memory at a time."""
        index = {}
        for path in self._partial_paths():
            start = 0
            with _explained(path), open(path, 'rb') as file:
                for number, line in enumerate(file, 1):
                    where = f'{path}: line {number}'
                    stop = start + len(line)
                    if line.endswith(b'\n'):  # else the process was killed while it wrote
                        video_id = self._parse(line, where)
                        index.setdefault(video_id, _Line(path, start, stop))
                    start = stop
        return index

    def _parse(self, line: bytes, where: str) -> int:
        try:
            record = json.loads(line)
            self._check(record['video_id'], record['entries'])
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(
                f'{where}: is no result of this data set ({error}); delete the file to test its '
                'videos again'
            ) from error
        return record['video_id']

    def _read(self, line: _Line) -> list[dict]:
        with open(line.path, 'rb') as file:
            file.seek(line.start)
            return json.loads(file.read(line.stop - line.start))['entries']

    def _joined(self, lines: Iterable[_Line]) -> Iterator[bytes]:
        separator = b'[\n'
        for line in lines:
            for entry in self._read(line):
                yield separator + json.dumps(entry, separators=(',', ':')).encode()
                separator = b',\n'
        yield b'[]\n' if separator == b'[\n' else b'\n]\n'


def zip_results(out_dir: str | Path) -> Path:
    """Pack the ``results.json`` of a folder for the evaluation server.

    Returns:
        ``submission.zip`` in the same folder, with ``results.json`` at its root.

    Raises:
        UserError: if there is no ``results.json`` or the archive cannot be written.
    """
    source, archive = Path(out_dir, 'results.json'), Path(out_dir, 'submission.zip')
    if not source.is_file():
        raise UserError(f'{source}: does not exist; run the test first')
    with _explained(archive), _replacing(archive) as file:
        with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as zipped:
            zipped.write(source, source.name)
        os.fsync(file.fileno())
    return archive


def _write(file: IO[bytes], chunks: Iterable[bytes]) -> None:
    for chunk in chunks:
        rest = memoryview(chunk)
        while rest:
            rest = rest[file.write(rest) :]
    file.flush()
    os.fsync(file.fileno())


def _end_of_lines(path: Path) -> int:
    """Size without the half line that a killed process may have left at the end."""
    with open(path, 'rb') as file:
        return sum(len(line) for line in file if line.endswith(b'\n'))


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file that takes the place of ``path`` only when it is complete."""
    temporary = path.with_name(f'{path.name}.tmp')
    try:
        with open(temporary, 'wb') as file:
            yield file
        os.replace(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f'{path}: cannot be written or read ({error.strerror}); what was finished before is '
            'safe: make room or mend the permissions and run the same command again'
        ) from error
