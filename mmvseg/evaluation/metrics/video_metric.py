"""What the metrics of whole videos share: joining the results of all processes."""

import logging
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mmengine.dist import broadcast_object_list, gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

from mmvseg.errors import UserError
from mmvseg.structures import VideoResult


class VideoMetric(BaseMetric):
    """A metric whose ``process`` keeps (video id, what was found) in ``self.results``.

    The main process collects them and computes the numbers, so that these do not depend on how
    many processes there are nor on which video went where.
    """

    @property
    def dataset_meta(self) -> Mapping[str, Any] | None:
        """``classes`` and ``category_ids`` of the data set by class index.

        Setting it raises a UserError if the ids do not mean the same in the ground truth, which
        would be found out only at the end of a test otherwise, or never.
        """
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, dataset_meta: Mapping[str, Any]) -> None:
        if self.has_truth:
            self.check_classes(dataset_meta)
        self._dataset_meta = dataset_meta

    @classmethod
    def number_names(cls) -> list[str] | None:
        """Names of the numbers without their prefix, if more is better of all; None: not stated."""
        return None

    @abstractmethod
    def check_classes(self, dataset_meta: Mapping[str, Any]) -> None:
        """Make sure that ids of the data set's classes are those of the ground truth.

        Raises:
            UserError: they are not.
        """

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Compare some videos with the ground truth; only what the numbers need is kept.

        Args:
            data_batch: not used.
            data_samples: samples as dicts, with ``video_id`` and, as ``pred``, the result.

        Raises:
            UserError: if a result does not fit the ground truth.
        """
        if not self.has_truth:
            return
        for sample in data_samples:
            video_id = sample['video_id']
            self.results.append((video_id, self.compare(video_id, sample['pred'])))

    @property
    @abstractmethod
    def has_truth(self) -> bool:
        """Whether there is anything to evaluate against."""

    @abstractmethod
    def compare(self, video_id: int | str, result: VideoResult) -> Any:
        """What the numbers need of a video."""

    def evaluate(self, size: int) -> dict[str, float]:
        """Compute the numbers from the results of all processes.

        mmengine's own way of joining the processes' results deals them out in turns and stops at
        the shortest, which would lose videos here: processes take unequal numbers of videos.

        Args:
            size: not used; mmengine passes the number of videos.

        Returns:
            The numbers by name, on every process.

        Raises:
            UserError: if the results do not fit the ground truth; on every process.
        """
        parts = gather_object(self.results)
        outcome = [None]
        if is_main_process():
            try:
                outcome = [self.compute_metrics([video for part in parts for video in part])]
            except UserError as error:
                outcome = [error]
        broadcast_object_list(outcome)
        self.results.clear()
        if isinstance(outcome[0], UserError):
            raise outcome[0]
        return {f'{self.prefix}/{name}': value for name, value in outcome[0].items()}


def in_order(results: list[tuple[str, Any]], videos: list[str], source: str) -> dict[str, Any]:
    """Each video once, in the order of the ground truth.

    Args:
        results: video id and what was found, in any order; the first of several counts.
        videos: all ids of the ground truth.
        source: name of the ground truth, for messages.

    Raises:
        UserError: if a video is missing.
    """
    by_video = dict(reversed(results))
    missing = [video for video in videos if video not in by_video]
    if missing:
        raise UserError(
            f'{source}: {len(missing)} of {len(videos)} videos were not predicted, the first is '
            f'{missing[0]}; the numbers are of all videos, so give the data set and the metric the '
            'same annotation file'
        )
    return {video: by_video[video] for video in videos}


def check_known(video_id: str, videos: dict[str, Any], source: str) -> None:
    """Refuse the results of a video that is not in the ground truth.

    Raises:
        UserError: if it is not.
    """
    if video_id not in videos:
        raise UserError(
            f'{source}: has no annotated video {video_id}; give the metric the ann_file of the '
            'data set, in which all videos are annotated, or none'
        )


def check_categories(
    dataset_meta: Mapping[str, Any], categories: Mapping[int, str], source: str
) -> None:
    """Make sure that each category id of a data set has the same name in the ground truth.

    Args:
        dataset_meta: of the data set; its classes without an id do not count.
        categories: names in the ground truth by id.
        source: name of the ground truth, for messages.

    Raises:
        UserError: an id is not there or has another name.
    """
    ids, names = dataset_meta['category_ids'], dataset_meta['classes']
    classes = {i: name for i, name in zip(ids, names, strict=True) if i is not None}
    advice = 'give the metric the annotation file of the data set'
    if foreign := sorted(classes.keys() - categories.keys()):
        raise UserError(
            f"{source}: category ids {foreign} of the data set are not in the metric's annotation "
            f'file; {advice}'
        )
    for category_id, name in classes.items():
        if categories[category_id] != name:
            raise UserError(
                f"{source}: category {category_id} is {categories[category_id]} in the metric's "
                f'annotation file and {name} in the data set; {advice}'
            )


def warn(text: str) -> None:
    """Log a warning."""
    print_log(text, logger='current', level=logging.WARNING)


def report(notes: Iterable[str], tables: str) -> None:
    """Log tables after warnings of what is undefined in them."""
    for note in notes:
        warn(note)
    print_log('\n' + tables, logger='current')
