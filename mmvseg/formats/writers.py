"""The official result files of each task: tubes as json, panoptic and semantic maps as PNGs."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mmvseg.errors import UserError
from mmvseg.structures import VideoInstances, VideoSemantic

from .panoptic_writers import CityscapesVPSWriter, PanopticWriter, STEPWriter
from .png_writer import MapsWriter, PngWriter
from .results_writer import ResultsWriter, VideoId, check_category
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
            check_category(entry.category_id, self.category_ids)

    def _items(self, video_id: VideoId, entries: list[dict]) -> list[dict]:
        return entries


class SemanticWriter(MapsWriter):
    """VSPW: ``<video>/<frame>.png``, 8 bits, the dataset's id of each pixel's class.

    Raises:
        UserError: if an id of the dataset does not fit into 8 bits.
    """

    def __init__(self, out_dir: str | Path, metainfo: Mapping[str, Any], rank: int = 0) -> None:
        super().__init__(out_dir, metainfo, rank)
        for name, category_id in zip(metainfo['classes'], metainfo['category_ids'], strict=True):
            if not 0 <= category_id <= 255:
                raise UserError(
                    f'class {name!r} has the id {category_id}: semantic results are PNGs of 8 '
                    'bits, so ids must lie in 0..255'
                )

    def _images(self, result: VideoSemantic) -> Iterator[np.ndarray]:
        table = np.array(self.metainfo['category_ids'], np.uint8)
        return (np.take(table, labels) for labels in result.maps)


#: Writers of panoptic results by the layout that a dataset asks for.
_PANOPTIC = dict(vipseg=PanopticWriter, cityscapes_vps=CityscapesVPSWriter, step=STEPWriter)


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
    kinds = dict(vis=InstanceWriter, vss=SemanticWriter)
    kind = _PANOPTIC[dataset.results_form] if task == 'vps' else kinds[task]
    writer = kind(out_dir, dataset.metainfo, rank)
    if isinstance(writer, PngWriter):
        writer.check_videos(dataset.videos)
    return writer
