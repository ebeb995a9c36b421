"""The official result files of panoptic data sets."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePath
from typing import Any

import numpy as np
from scipy import ndimage

from mmvseg.errors import UserError
from mmvseg.structures import VideoPanoptic

from .png_writer import MapsWriter, PngWriter, png_name, video_folder
from .results_writer import VideoId, check_category
from .segment_colors import segment_colors
from .step import LAST_CATEGORY_ID, MAX_INSTANCE, VOID, step_colors


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
            named = zip(self._names(video), result.maps, strict=True)
            for index, (_, segment_map) in enumerate(named):
                numbers = _take(positions, segment_map)
                segments_info = [
                    dict(id=ids[n], category_id=int(categories[n]), iscrowd=0, area=area, bbox=box)
                    for n, area, box in _areas_and_boxes(numbers)
                ]
                frames.append(self._frame_entry(video, index, segments_info))
                yield np.take(table, numbers, axis=0)

        self._write_pngs(video, images())
        return frames

    def _frame_entry(
        self, video: Mapping[str, Any], index: int, segments_info: list[dict]
    ) -> dict[str, Any]:
        name = PurePath(video['frames'][index]).name
        return dict(file_name=name, segments_info=segments_info)

    def _check(self, video_id: VideoId, entries: list[dict]) -> None:
        for frame in entries:
            for segment in frame['segments_info']:
                check_category(segment['category_id'], self.category_ids)
        video_folder(video_id)
        self._pngs(entries)

    def _items(self, video_id: VideoId, entries: list[dict]) -> list[dict]:
        return [dict(video_id=video_id, annotations=entries)]

    def _pngs(self, entries: list[dict]) -> list[str]:
        return [png_name(frame['file_name']) for frame in entries]


class CityscapesVPSWriter(PanopticWriter):
    """Cityscapes-VPS: ``pan_pred/<picture's id>.png`` and a flat ``pred.json``.

    Results are of the labelled frames alone. Entries come in the order of the ground truth, as the
    official script needs them, and say which picture they are of.
    """

    def check_videos(self, videos: Iterable[Mapping[str, Any]]) -> None:
        """Nothing to do: the reader has seen that ids of pictures are different names of files."""

    def _folder(self, video_id: VideoId) -> Path:
        return self.out_dir / self.png_folder

    def _names(self, video: Mapping[str, Any]) -> list[str]:
        return [f'{image_id}.png' for image_id in video['image_ids']]

    def _frame_entry(
        self, video: Mapping[str, Any], index: int, segments_info: list[dict]
    ) -> dict[str, Any]:
        return dict(
            image_id=video['image_ids'][index],
            file_name=video['file_names'][index],
            segments_info=segments_info,
        )

    def _items(self, video_id: VideoId, entries: list[dict]) -> list[dict]:
        return entries

    def _pngs(self, entries: list[dict]) -> list[str]:
        return [f'{frame["image_id"]}.png' for frame in entries]


class STEPWriter(MapsWriter):
    """KITTI-STEP and MOTChallenge-STEP: ``<sequence>/<frame>.png``, coded as their maps are.

    Stuff has the number 0; the things of a class are numbered from 1, since all that have the
    number 0 would count as one. Pixels of no segment are void.

    Raises:
        UserError: if an id of the dataset does not fit into the maps.
    """

    def __init__(self, out_dir: str | Path, metainfo: Mapping[str, Any], rank: int = 0) -> None:
        super().__init__(out_dir, metainfo, rank)
        for name, category_id in zip(metainfo['classes'], metainfo['category_ids'], strict=True):
            if category_id is not None and not 0 <= category_id <= LAST_CATEGORY_ID:
                raise UserError(
                    f'class {name!r} has the id {category_id}: a map holds ids of 0 to '
                    f'{LAST_CATEGORY_ID}'
                )

    def _images(self, result: VideoPanoptic) -> Iterator[np.ndarray]:
        category_ids, counts = self.metainfo['category_ids'], Counter()
        pairs = [(VOID, 0)]
        for segment in result.segments:
            counts[segment.label] += segment.is_thing
            pairs.append((category_ids[segment.label], counts[segment.label]))
        if max(counts.values(), default=0) > MAX_INSTANCE:
            raise UserError(f'a class has more than {MAX_INSTANCE} objects, which no map holds')
        table = step_colors(pairs)[:, ::-1]  # BGR
        positions = _position_table(result)
        for segment_map in result.maps:
            yield np.take(table, _take(positions, segment_map), axis=0)


def _position_table(result: VideoPanoptic) -> np.ndarray:
    """1 + position of the segment of each id in the maps, 0 for the id 0, -1 for unknown ids."""
    ids = [0, *(segment.id for segment in result.segments)]
    table = np.full(max(ids) + 1, -1, np.int32)
    table[ids] = np.arange(len(ids))
    return table


def _take(positions: np.ndarray, segment_map: np.ndarray) -> np.ndarray:
    numbers = np.take(positions, segment_map)
    if numbers.min() < 0:  # beyond the table NumPy has noticed
        raise ValueError('a map has ids of no segment')
    return numbers


def _areas_and_boxes(numbers: np.ndarray) -> Iterator[tuple[int, int, list[int]]]:
    """Position, pixels and box (x, y, width, height) of the segments of a map of 1 + position."""
    areas = np.bincount(numbers.ravel()).tolist()
    for position, place in enumerate(ndimage.find_objects(numbers)):
        if place is not None:
            rows, columns = place
            box = [columns.start, rows.start]
            box += [columns.stop - columns.start, rows.stop - rows.start]
            yield position, areas[position + 1], box
