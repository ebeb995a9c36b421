"""VIPSeg, video panoptic segmentation, and any own data set in its layout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats import vipseg
from mmvseg.formats.categories import Category, load_table
from mmvseg.formats.panoptic_records import PanopticSet, Video
from mmvseg.registry import DATASETS

from .metainfo import refuse_chosen_classes, to_panoptic_metainfo
from .video_dataset import VideoDataset


@DATASETS.register_module()
class VIPSegDataset(VideoDataset):
    """Videos whose every pixel belongs to a thing, to stuff, or to nothing.

    The classes are the categories of the annotation file, things first. A segment keeps its id over
    the video and has the class that the first frame of a clip gives it.

    Args:
        ann_file: ``panoptic_gt_VIPSeg_train.json`` or the like.
        data_prefix: ``img`` and ``mask`` are the folders of the frames and of the segment maps.
        version: ``'vipseg'``: the file's categories must be VIPSeg's. None: own data.
        **kwargs: see :class:`VideoDataset`.

    Raises:
        UserError: for another version, or categories that are not the version's.

    Example:
        >>> dataset = VIPSegDataset(
        ...     ann_file='panoptic_gt_VIPSeg_val.json',
        ...     data_root='vipseg',
        ...     data_prefix=dict(img='images', mask='panomasksRGB'),
        ...     test_mode=True,
        ... )
        >>> dataset.metainfo['thing_classes']
        ('disc', 'square', 'triangle', 'star', 'ring', 'cross')
    """

    tasks = ('vps',)
    #: Name of the table of classes of the published data set.
    published = 'vipseg'
    #: What the published data set is called.
    title = 'VIPSeg'

    def __init__(self, *args, version: str | None = None, **kwargs) -> None:
        if version not in (None, self.published):
            raise UserError(
                f'dataset version {version!r}: use {self.published!r}, or None for own data'
            )
        self.version = version
        super().__init__(*args, **kwargs)

    @classmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config; with ``version`` this needs no file."""
        if dataset_cfg.get('version') == cls.published:
            return to_panoptic_metainfo(load_table(cls.published))
        return to_panoptic_metainfo(cls.read_categories(cls.unread(dataset_cfg).ann_file))

    @staticmethod
    def read_categories(ann_file: str) -> list[Category]:
        """The categories of an annotation file alone."""
        return vipseg.read_categories(ann_file)

    def read(self, masks: str) -> PanopticSet:
        """The annotation file; without annotations in a test. ``masks`` is the folder of maps."""
        return vipseg.read_vipseg(self.ann_file, masks, with_annotations=not self.test_mode)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file into video records."""
        refuse_chosen_classes(self._metainfo, 'the annotation file')
        masks = '' if self.test_mode else self.data_prefix['mask']
        content = self.read(masks)
        if self.version is not None:
            self._require_published(content.categories)
        metainfo = to_panoptic_metainfo(content.categories)
        self._metainfo.update(metainfo)
        if not content.has_annotations and not self.test_mode:
            raise UserError(f'annotation file {self.ann_file}: has no annotations to train on')
        #: How many segments are left out since they are crowds, each counted once a video.
        self.num_crowds = sum(map(_count_crowds, content.videos.values()))
        labels = {category: label for label, category in enumerate(metainfo['category_ids'])}
        return [self._record(video, labels) for video in content.videos.values()]

    def _record(self, video: Video, labels: Mapping[int, int]) -> dict:
        """A video's record; in training with ``masks`` and ``segments``.

        ``masks`` are the paths of the segment maps, none if the video is not annotated, and
        ``segments`` (n, 3) int64 rows of frame, segment id and class index, without crowds.
        """
        record = dict(
            video_id=video.name,
            name=video.name,
            height=video.height,
            width=video.width,
            length=video.length,
            frames=video.frame_paths(self.data_prefix['img']),
        )
        if not self.test_mode:
            rows = [
                (frame.index, segment.id, labels[segment.category_id])
                for frame in video.frames
                for segment in frame.segments
                if not segment.iscrowd
            ]
            record['masks'] = [str(frame.mask) for frame in video.frames if frame.mask]
            record['segments'] = np.array(rows, np.int64).reshape(-1, 3)
        return record

    def _require_published(self, categories: list[Category]) -> None:
        published = {category.id: category for category in load_table(self.published)}
        found = {category.id: category for category in categories}
        for number in sorted(published.keys() | found):
            ours, theirs = published.get(number), found.get(number)
            if ours is None or theirs is None or ours.name != theirs.name:
                names = [category.name if category else 'missing' for category in (theirs, ours)]
                raise UserError(
                    f'annotation file {self.ann_file}: category {number} is {names[0]}, in '
                    f'{self.title} it is {names[1]}; for own classes set version=None'
                )
            if ours.is_thing != theirs.is_thing:
                raise UserError(
                    f'annotation file {self.ann_file}: category {number} ({ours.name}): isthing '
                    f'differs from {self.title}; for own classes set version=None'
                )

    def _why_empty(self) -> str:
        reason = super()._why_empty()
        if not self.num_crowds:
            return reason
        return f'{reason}; {self.num_crowds} segments are crowds (iscrowd: 1), which are left out'

    def annotated_frames(self, record: dict) -> np.ndarray:
        """The frames that hold a segment."""
        return np.unique(record['segments'][:, 0])

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``mask_paths`` and ``segments``, the class index of each segment id, of each frame."""
        segments = record['segments']
        classes: dict[int, int] = {}
        frames = []
        for frame in frame_ids:
            rows = segments[segments[:, 0] == frame, 1:].tolist()
            frames.append({segment: classes.setdefault(segment, label) for segment, label in rows})
        return dict(mask_paths=[record['masks'][i] for i in frame_ids], segments=frames)


def _count_crowds(video: Video) -> int:
    segments = (segment for frame in video.frames for segment in frame.segments)
    return len({segment.id for segment in segments if segment.iscrowd})
