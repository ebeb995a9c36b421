"""VPQ and STQ of video panoptic segmentation as an mmengine metric."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmvseg.errors import UserError, counted
from mmvseg.evaluation.functional.panoptic_overlap import frame_overlaps
from mmvseg.evaluation.functional.panoptic_rules import CITYSCAPES_VPS, STEP, VIPSEG
from mmvseg.evaluation.functional.segmentation_tables import stq_tables, vpq_tables
from mmvseg.evaluation.functional.stq import TubeSums, VideoTubes
from mmvseg.evaluation.functional.vpq import VPQ, VideoPQ
from mmvseg.formats.cityscapes_vps import read_cityscapes_vps
from mmvseg.formats.panoptic_records import (
    PanopticFrame,
    PanopticSet,
    PredictedSegment,
    Video,
    read_frames,
)
from mmvseg.formats.step import read_step
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.registry import METRICS
from mmvseg.structures import VideoPanoptic

from .video_metric import VideoMetric, check_categories, check_known, in_order, report, warn


class _VideoSums(NamedTuple):
    quality: dict[int, np.ndarray]
    tubes: TubeSums


@METRICS.register_module()
class VideoPanopticMetric(VideoMetric):
    """VPQ and STQ, equal to the official evaluation of the files of the same results.

    All numbers are fractions in [0, 1] (``mmvseg evaluate vpq`` writes percent): ``VPQ`` (mean
    over windows of 1, 2, 4 and 6 frames), ``VPQ_things``, ``VPQ_stuff``, ``VPQ_1`` ... ``VPQ_6``,
    ``STQ``, ``AQ``, ``SQ``. NaN, with a warning, where there is nothing to measure. Other data sets
    than VIPSeg have sub-classes.

    The masks of a video are read, and compared, when its results come; only its counts are kept.
    If the annotation file has no annotations, as for test sets, a warning says so and there are no
    numbers; single videos without annotations are left out, as officially.

    Args:
        ann_file: ground truth in the official format, ``panoptic_gt_*.json``.
        mask_root: folder of its PNGs, ``panomasksRGB``.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    default_prefix = 'vipseg'
    rules = VIPSEG

    def __init__(
        self, ann_file: str | Path, mask_root: str | Path, prefix: str | None = None
    ) -> None:
        super().__init__(prefix=prefix)
        self.ground_truth = self.read_truth(ann_file, mask_root)
        total = len(self.ground_truth.videos)
        left_out = total - len(self.ground_truth.annotated)
        if not self.has_truth:
            warn(f'{ann_file} has no annotations: there will be no VPQ and STQ')
        elif left_out:
            warn(f'{ann_file}: {left_out} of {total} videos have no annotations and do not count')

    def read_truth(self, ann_file: str | Path, mask_root: str | Path) -> PanopticSet:
        """Read the ground truth."""
        return read_vipseg(ann_file, mask_root)

    @classmethod
    def number_names(cls) -> list[str]:
        """See :class:`VideoMetric`."""
        windows = map(cls.rules.name, cls.rules.mean_windows)
        means = [f'VPQ_{part}' for part in ('things', 'stuff', *windows)]
        return ['VPQ', *means, *(('STQ', 'AQ', 'SQ') if cls.rules.has_stq else ())]

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""
        return bool(self.ground_truth.annotated)

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Compare the videos that are annotated, see :class:`VideoMetric`."""
        truth = self.ground_truth
        left_out = truth.videos.keys() - truth.annotated.keys()
        counted = [sample for sample in data_samples if sample['video_id'] not in left_out]
        super().process(data_batch, counted)

    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """See :class:`VideoMetric`."""
        names = {category.id: category.name for category in self.ground_truth.categories}
        check_categories(dataset_meta, names, self.ground_truth.file)

    def compare(self, video_id: str, result: VideoPanoptic) -> _VideoSums:
        """Its counts, see :class:`VideoMetric`."""
        truth = self.ground_truth
        check_known(video_id, truth.annotated, truth.file)
        video = truth.videos[video_id]
        if video.length != len(result.maps):
            raise UserError(
                f'{truth.file}: video {video_id}: has {counted(video.length, "frames")}, the '
                f'prediction has {len(result.maps)}'
            )
        windows = self.rules.mean_windows
        quality = VideoPQ(truth.classes, windows, f'{truth.file}: video {video_id}')
        tubes = VideoTubes(truth.classes, self.rules.first_is_crowd)
        predicted = self._frames(video, result)
        ids = np.array(sorted(segment.id for segment in result.segments), np.int64)
        for frame in frame_overlaps(read_frames(video), predicted, video.segment_ids(), ids):
            quality.add(frame)
            tubes.add(frame)
        return _VideoSums(quality.sums, tubes.sums())

    def _frames(self, video: Video, result: VideoPanoptic) -> Iterator[PanopticFrame]:
        """The results as files would give them."""
        category_ids = self.dataset_meta['category_ids']
        for segment_map, frame in zip(result.maps, video.frames, strict=True):
            segments = [
                PredictedSegment(segment.id, category_ids[segment.label])
                for segment, _ in result.segments_in(segment_map)
            ]
            place = f'the predictions: video {video.name}, frame {frame.mask.stem}'
            yield PanopticFrame(place, segments, segment_map)

    def compute_metrics(self, results: list[tuple[str, _VideoSums]]) -> dict[str, float]:
        """The numbers; prints the tables.

        Args:
            results: video id and counts of each video.
        """
        truth = self.ground_truth
        if not self.has_truth:
            warn(f'{truth.file} has no annotations: no VPQ and STQ')
            return {}
        videos = in_order(results, [*truth.annotated], truth.file)
        rules = self.rules
        sums = (video.quality for video in videos.values())
        quality = VPQ.of(truth.classes, sums, rules.mean_windows, rules)
        numbers = dict(
            VPQ=quality.mean(),
            VPQ_things=quality.mean(group='Things'),
            VPQ_stuff=quality.mean(group='Stuff'),
            **{f'VPQ_{rules.name(k)}': quality.quality(k) for k in rules.mean_windows},
        )
        if not rules.has_stq:
            report(quality.notes(), vpq_tables(quality))
            return numbers
        tubes = TubeSums.of(video.tubes for video in videos.values())
        tables = f'{vpq_tables(quality)}\n{stq_tables(tubes, truth.classes)}'
        report(quality.notes() + tubes.notes(), tables)
        return numbers | tubes.stats()


@METRICS.register_module()
class CityscapesVPSMetric(VideoPanopticMetric):
    """VPQ of Cityscapes-VPS, over the labelled frames alone.

    ``VPQ`` (mean of the four that follow), ``VPQ_things``, ``VPQ_stuff``, ``VPQ_k0``, ``VPQ_k5``,
    ``VPQ_k10``, ``VPQ_k15``: fractions, over windows of 1, 2, 3 and 4 labelled frames.

    Args:
        ann_file: ``panoptic_gt_val_city_vps.json``.
        mask_root: ``val/panoptic_video``.
        prefix: what the names of the numbers begin with.
    """

    default_prefix = 'cityscapes_vps'
    rules = CITYSCAPES_VPS

    def read_truth(self, ann_file: str | Path, mask_root: str | Path) -> PanopticSet:
        """Read the ground truth."""
        return read_cityscapes_vps(ann_file, mask_root)


@METRICS.register_module()
class STEPMetric(VideoPanopticMetric):
    """STQ of KITTI-STEP and MOTChallenge-STEP, and VPQ of the same results.

    ``STQ``, ``AQ``, ``SQ``, ``VPQ`` (mean over windows of 1 to 4 frames), ``VPQ_things``,
    ``VPQ_stuff``, ``VPQ_1`` ... ``VPQ_4``: fractions.

    Args:
        mask_root: folder of the sequences' maps.
        version: of the classes, ``'kitti_step'`` or ``'motchallenge_step'``; None: those of a
            ``categories.json`` beside the folder.
        sequences: those that count; None: all in the folder.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: a sequence has no maps, or the classes are unknown.
    """

    default_prefix = 'step'
    rules = STEP

    def __init__(
        self,
        mask_root: str | Path,
        version: str | None = None,
        sequences: Sequence[str] | None = None,
        prefix: str | None = None,
    ) -> None:
        self._version, self._sequences = version, sequences
        super().__init__(mask_root, mask_root, prefix)

    def read_truth(self, ann_file: str | Path, mask_root: str | Path) -> PanopticSet:
        """Find the ground truth."""
        return read_step(mask_root, self._version, self._sequences)
