"""Average precision of YouTube-VIS, OVIS and LV-VIS as mmengine metrics."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError, counted
from mmvseg.evaluation.functional.short_long_ap import SPLITS
from mmvseg.evaluation.instance_rules import (
    InstanceRules,
    LVVISRules,
    OVISRules,
    ShortLongRules,
    YouTubeVISRules,
)
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import to_results
from mmvseg.registry import METRICS
from mmvseg.structures import VideoInstances

from .video_metric import VideoMetric, check_categories, report, warn


class InstanceMetric(VideoMetric):
    """Numbers of tubes by the rules of a benchmark, of the same ``results.json``.

    Each process keeps the run-length coded results of its videos. The main process collects them,
    takes each video once, and computes the numbers; so they do not depend on how many processes
    there are nor on which video went where.

    No numbers, but a warning, come out where the official evaluator has none: if the annotation
    file has no annotations, which is said when the metric is built, or if nothing was predicted.

    The numbers are over the categories of the data set: where it uses only some of those of the
    annotation file, the others are left out, which is logged.

    Args:
        rules: of the benchmark, with the ground truth.
        prefix: what the names of the numbers begin with.
    """

    #: The rules of the benchmark.
    rules_type: type[InstanceRules]
    #: Whether the metric names ground truth of its own, which data sets that are tested on lack.
    has_own_truth = False

    def __init__(self, rules: InstanceRules, prefix: str | None = None) -> None:
        super().__init__(prefix=prefix)
        self.rules = rules
        if not self.has_truth:
            warn(f'{rules.source} has no annotations: there will be no {self.number_names()[0]}')

    @classmethod
    def rules_of(cls, evaluator: Mapping[str, Any], ann_file: Path) -> InstanceRules:
        """The rules for a config of this metric and the annotation file that is tested on.

        Raises:
            UserError: the ground truth cannot be evaluated against.
        """
        return cls.rules_type(read_youtube_vis(ann_file))

    @classmethod
    def number_names(cls) -> list[str]:
        """See :class:`VideoMetric`."""
        return cls.rules_type.number_names()

    @property
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""
        return self.rules.has_truth

    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """See :class:`VideoMetric`."""
        for truth in self.rules.truths:
            check_categories(dataset_meta, truth.categories, truth.source)

    def compare(self, video_id: int, result: VideoInstances) -> list[dict]:
        """Its official result entries."""
        return result.to_youtube_vis(video_id, self.dataset_meta['category_ids'])

    def compute_metrics(self, results: list[tuple[int, list[dict]]]) -> dict[str, float]:
        """The official summary numbers; prints the table of classes.

        Args:
            results: video id and official result entries of each video.
        """
        if not self.has_truth:
            warn(f'{self.rules.source} has no annotations: no AP')
            return {}
        by_video = dict(reversed(results))  # the first of several results of a video counts
        known = [video_id for truth in self.rules.truths for video_id in truth.videos]
        order = {video_id: i for i, video_id in enumerate(known)}
        videos = sorted(by_video, key=lambda video_id: order.get(video_id, len(order)))
        entries = [entry for video_id in videos for entry in by_video[video_id]]
        if not entries:
            warn(f'nothing was predicted in {counted(len(videos), "videos")}: no AP')
            return {}
        found = to_results(entries, 'the predictions')
        scores = self.rules.score(found, 'the predictions', self.dataset_meta['category_ids'])
        report(scores.notes, scores.tables)
        return scores.numbers


class _OneFileMetric(InstanceMetric):
    """Of one annotation file.

    Args:
        ann_file: annotation file in the official format.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    def __init__(self, ann_file: str | Path, prefix: str | None = None) -> None:
        super().__init__(self.rules_type(read_youtube_vis(ann_file)), prefix)


@METRICS.register_module()
class YouTubeVISMetric(_OneFileMetric):
    """AP and AR of tubes, equal to the official evaluation of the same ``results.json``.

    See :class:`InstanceMetric` for when there are no numbers, and which categories they are over.

    Args:
        ann_file: annotation file in the official format.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: if the annotation file cannot be evaluated against.
    """

    default_prefix = 'youtube_vis'
    rules_type = YouTubeVISRules


@METRICS.register_module()
class OVISMetric(_OneFileMetric):
    """:class:`YouTubeVISMetric` with OVIS's occlusion groups (light, moderate, heavy)."""

    default_prefix = 'ovis'
    rules_type = OVISRules


@METRICS.register_module()
class LVVISMetric(_OneFileMetric):
    """:class:`YouTubeVISMetric` by the rules of LV-VIS, with base and novel classes apart."""

    default_prefix = 'lvvis'
    rules_type = LVVISRules


@METRICS.register_module()
class YouTubeVIS2022Metric(InstanceMetric):
    """:class:`YouTubeVISMetric` of short and long videos apart, and the mean of the two AP.

    ``valid.json`` does not say which videos are long: each split has a ground truth of its own.

    Args:
        short: annotation file of the short videos.
        long: annotation file of the long videos. One of the two may be missing; then there is no
            mean.
        prefix: what the names of the numbers begin with.

    Raises:
        UserError: neither is given, or one cannot be evaluated against.
    """

    default_prefix = 'youtube_vis_2022'
    rules_type = ShortLongRules
    has_own_truth = True

    def __init__(
        self,
        short: str | Path | None = None,
        long: str | Path | None = None,
        prefix: str | None = None,
    ) -> None:
        super().__init__(_short_long(dict(short=short, long=long)), prefix)

    @classmethod
    def rules_of(cls, evaluator: Mapping[str, Any], ann_file: Path) -> ShortLongRules:
        """See :class:`InstanceMetric`; the annotation file that is tested on has no objects."""
        return _short_long(evaluator)


def _short_long(files: Mapping[str, Any]) -> ShortLongRules:
    given = {split: files[split] for split in SPLITS if files.get(split)}
    if not given:
        raise UserError(
            'YouTubeVIS2022Metric: give short, long or both, the annotation files of the short and '
            'of the long videos'
        )
    return ShortLongRules({split: read_youtube_vis(file) for split, file in given.items()})
