"""The official result files of each task: tubes as json, panoptic and semantic maps as PNGs."""

import os
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import cv2
import msgspec
import numpy as np
from scipy import ndimage

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, sync, write_chunks
from mmvseg.structures import VideoInstances, VideoPanoptic, VideoSemantic

from .results_writer import ResultsWriter, VideoId
from .segment_colors import segment_colors
from .youtube_vis_results import ResultEntry


class InstanceWriter(ResultsWriter):
    """YouTube-VIS and OVIS: one ``results.json``, a list with an entry for each tube.

    Example:
        >>> writer = InstanceWriter('results', dict(category_ids=[1, 2]))
        >>> nothing = VideoInstances(np.zeros(0), np.zeros(0, int), [], np.zeros(0, int))
        >>> for video_id in (7, 8):
        ...     if video_id not in writer.finished():
        ...         writer.add(dict(video_id=video_id), nothing)
        >>> writer.merge([7, 8])
        PosixPath('results/results.json')
    """

    file_name = 'results.json'

    def _entries(self, video: Mapping[str, Any], result: VideoInstances) -> list[dict]:
        video_id = video['video_id']
        if not np.isfinite(result.scores).all():
            raise UserError(
                f'video {video_id}: a score is not finite; the checkpoint holds NaN or overflows '
                'in half precision'
            )
        return result.to_youtube_vis(video_id, self.metainfo['category_ids'])

    def _check(self, video_id: VideoId, entries: list[dict]) -> None:
        for entry in msgspec.convert(entries, list[ResultEntry]):
            if entry.video_id != video_id:
                raise ValueError(f'an entry of video {entry.video_id} among those of {video_id}')
            _check_category(entry.category_id, self.category_ids)

    def _items(self, video_id: VideoId, entries: list[dict]) -> list[dict]:
        return entries


class PngWriter(ResultsWriter):
    """Base of the writers of one PNG a frame, ``FOLDER/<video>/<stem of the frame's file>.png``.

    A video's line follows when all its PNGs are on the disk. A video whose PNGs were removed since
    does not count as finished.
    """

    #: Folder of the videos' folders within that of the results.
    png_folder = '.'

    def check_videos(self, videos: Iterable[Mapping[str, Any]]) -> None:
        """Make sure, before a long run, that the videos' files will not get in each other's way.

        Args:
            videos: all records of the dataset.

        Raises:
            UserError: if a video's name leads out of the folder, or the files of two videos or of
                two frames of a video would be the same.
        """
        folders: dict[PurePath, VideoId] = {}
        for video in videos:
            video_id = video['video_id']
            folder = video_folder(video_id)
            if folder in folders:
                raise UserError(
                    f'videos {folders[folder]!r} and {video_id!r} would share the folder {folder}; '
                    'rename one of them'
                )
            folders[folder] = video_id
            png_names(video)
        for folder, video_id in folders.items():
            for parent in folder.parents:
                if parent in folders:
                    raise UserError(
                        f'video {video_id!r} lies in the folder of video {folders[parent]!r}; '
                        'rename one of them'
                    )

    def _write_pngs(self, video: Mapping[str, Any], images: Iterable[np.ndarray]) -> None:
        folder = self.out_dir / self.png_folder / video_folder(video['video_id'])
        with file_errors(folder, SAME_COMMAND):
            folder.mkdir(parents=True, exist_ok=True)
            for name, image in zip(png_names(video), images, strict=True):
                # Of the strategies the smallest file for colours, and as fast as the others.
                _, png = cv2.imencode(
                    '.png', image, [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
                )
                path = folder / name
                with file_errors(path, SAME_COMMAND), open(path, 'wb', buffering=0) as file:
                    write_chunks(file, [png.tobytes()])
            sync(folder)
            sync(folder.parent)

    def _is_there(self, video_id: VideoId, entries: list) -> bool:
        folder = self.out_dir / self.png_folder / video_folder(video_id)
        return folder.is_dir() and set(self._pngs(entries)) <= set(os.listdir(folder))

    @abstractmethod
    def _pngs(self, entries: list) -> list[str]:
        """Names of the PNGs of a line that was read."""


class PanopticWriter(PngWriter):
    """VIPSeg: ``pan_pred/<video>/<frame>.png`` and ``pred.json``.

    A pixel's segment id is R + 256 G + 65536 B, 0 where there is none; a segment keeps its id over
    the video. See :func:`mmvseg.formats.segment_colors.segment_colors` for the choice of ids.
    """

    file_name = 'pred.json'
    opening, closing = b'{"annotations": [', b']}'
    png_folder = 'pan_pred'

    def _entries(self, video: Mapping[str, Any], result: VideoPanoptic) -> list[dict]:
        colors = segment_colors(result.segments, self.metainfo)
        ids = (colors.astype(np.int64) @ [1, 256, 65536]).tolist()
        categories = [self.metainfo['category_ids'][s.label] for s in result.segments]
        frames: list[dict] = []

        def images() -> Iterator[np.ndarray]:
            table = np.concatenate([np.zeros((1, 3), np.uint8), colors[:, ::-1]])  # BGR
            positions = _position_table(result)
            for path, segment_map in zip(video['frames'], result.maps, strict=True):
                numbers = np.take(positions, segment_map)
                if numbers.min() < 0:  # beyond the table NumPy has noticed
                    raise ValueError(f'{path}: its map has ids of no segment')
                segments_info = [
                    dict(id=ids[n], category_id=int(categories[n]), iscrowd=0, area=area, bbox=box)
                    for n, area, box in _areas_and_boxes(numbers)
                ]
                frames.append(dict(file_name=PurePath(path).name, segments_info=segments_info))
                yield np.take(table, numbers, axis=0)

        self._write_pngs(video, images())
        return frames

    def _check(self, video_id: VideoId, entries: list[dict]) -> None:
        for frame in entries:
            for segment in frame['segments_info']:
                _check_category(segment['category_id'], self.category_ids)
        video_folder(video_id)
        self._pngs(entries)

    def _items(self, video_id: VideoId, entries: list[dict]) -> list[dict]:
        return [dict(video_id=video_id, annotations=entries)]

    def _pngs(self, entries: list[dict]) -> list[str]:
        return [_png_name(frame['file_name']) for frame in entries]


class SemanticWriter(PngWriter):
    """VSPW: ``<video>/<frame>.png``, 8 bits, the dataset's id of each pixel's class.

    ``videos.json``, which appears when all is done, lists the files of each video; it is no part of
    the official form.

    Raises:
        UserError: if an id of the dataset does not fit into 8 bits.
    """

    file_name = 'videos.json'

    def __init__(self, out_dir: str | Path, metainfo: Mapping[str, Any], rank: int = 0) -> None:
        super().__init__(out_dir, metainfo, rank)
        for name, category_id in zip(metainfo['classes'], metainfo['category_ids'], strict=True):
            if not 0 <= category_id <= 255:
                raise UserError(
                    f'class {name!r} has the id {category_id}: semantic results are PNGs of 8 '
                    'bits, so ids must lie in 0..255'
                )

    def _entries(self, video: Mapping[str, Any], result: VideoSemantic) -> list[str]:
        table = np.array(self.metainfo['category_ids'], np.uint8)
        self._write_pngs(video, (np.take(table, labels) for labels in result.maps))
        return png_names(video)

    def _check(self, video_id: VideoId, entries: list[str]) -> None:
        video_folder(video_id)
        self._pngs(entries)

    def _items(self, video_id: VideoId, entries: list[str]) -> list[dict]:
        return [dict(video_id=video_id, pngs=entries)]

    def _pngs(self, entries: list[str]) -> list[str]:
        return [_png_name(name) for name in entries]


def build_writer(task: str, out_dir: str | Path, dataset: Any, rank: int = 0) -> ResultsWriter:
    """The writer of a task's results for the videos of a dataset.

    Args:
        task: ``vis``, ``vps`` or ``vss``.
        out_dir: folder of the results; made if needed.
        dataset: a :class:`mmvseg.datasets.VideoDataset`.
        rank: number of this process.

    Raises:
        UserError: the folder cannot be made, or the dataset's names or ids do not fit the files.
    """
    kinds = dict(vis=InstanceWriter, vps=PanopticWriter, vss=SemanticWriter)
    writer = kinds[task](out_dir, dataset.metainfo, rank)
    if isinstance(writer, PngWriter):
        writer.check_videos(dataset.videos)
    return writer


def video_folder(video_id: VideoId) -> PurePath:
    """Path of a video's PNGs below the folder of all videos.

    Raises:
        UserError: if the name leads elsewhere.
    """
    path = PurePath(str(video_id))
    if path.is_absolute() or '..' in path.parts or not path.parts:
        raise UserError(
            f'video {video_id!r}: its results would lie outside of their folder; rename the video'
        )
    return path


def png_names(video: Mapping[str, Any]) -> list[str]:
    """Name of the PNG of each frame of a dataset's record.

    Raises:
        UserError: if two frames would have the same.
    """
    names: dict[str, str] = {}
    for path in video['frames']:
        name = _png_name(PurePath(path).name)
        if name in names:
            raise UserError(
                f'video {video["video_id"]!r}: the results of its frames {names[name]} and {path} '
                f'would both be {name}; rename one of them'
            )
        names[name] = path
    return list(names)


def _png_name(file_name: str) -> str:
    return f'{PurePath(file_name).stem}.png'


def _check_category(category_id: int, category_ids: frozenset[int]) -> None:
    if category_id not in category_ids:
        raise ValueError(f'unknown category_id {category_id}')


def _position_table(result: VideoPanoptic) -> np.ndarray:
    """1 + position of the segment of each id in the maps, 0 for the id 0, -1 for unknown ids."""
    ids = [0, *(segment.id for segment in result.segments)]
    table = np.full(max(ids) + 1, -1, np.int32)
    table[ids] = np.arange(len(ids))
    return table


def _areas_and_boxes(numbers: np.ndarray) -> Iterator[tuple[int, int, list[int]]]:
    """Position, pixels and box (x, y, width, height) of the segments of a map of 1 + position."""
    areas = np.bincount(numbers.ravel()).tolist()
    for position, place in enumerate(ndimage.find_objects(numbers)):
        if place is not None:
            rows, columns = place
            box = [columns.start, rows.start]
            box += [columns.stop - columns.start, rows.stop - rows.start]
            yield position, areas[position + 1], box
