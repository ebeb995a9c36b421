"""VSPW, video semantic segmentation, and any own data set in its layout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmvseg.formats.problems import strictly
from mmvseg.formats.vspw import (
    VSPWVideo,
    check_masks,
    find_video,
    read_categories,
    read_video_names,
)
from mmvseg.media.images import read_image_size
from mmvseg.registry import DATASETS

from .metainfo import refuse_chosen_classes, to_panoptic_metainfo
from .video_dataset import VideoDataset


@DATASETS.register_module()
class VSPWDataset(VideoDataset):
    """Videos with a class for every pixel.

    The files are described in :mod:`mmvseg.formats.vspw`.

    Args:
        ann_file: list of videos, one a line. A ``categories.json`` beside it or beside the folder
            of the videos, a list of ``dict(id, name)``, names the classes of own data.
        data_prefix: ``img`` is the folder of the videos.
        **kwargs: see :class:`VideoDataset`.

    Example:
        >>> dataset = VSPWDataset(
        ...     ann_file='val.txt', data_root='vspw', data_prefix=dict(img='data'), test_mode=True
        ... )
        >>> len(dataset.metainfo['classes'])
        10
    """

    tasks = ('vss',)

    @classmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config; VSPW's need no file."""
        unread = cls.unread(dataset_cfg)
        categories = strictly(read_categories(unread.ann_file, unread.data_prefix['img']))
        return to_panoptic_metainfo(categories)

    def load_data_list(self) -> list[dict]:
        """List the frames of the videos."""
        refuse_chosen_classes(self._metainfo, 'categories.json')
        folder = self.data_prefix['img']
        categories = strictly(read_categories(self.ann_file, folder))
        self._metainfo.update(to_panoptic_metainfo(categories))
        names = strictly(read_video_names(self.ann_file))
        return [self._record(strictly(find_video(self.ann_file, folder, name))) for name in names]

    def annotated_frames(self, record: dict) -> np.ndarray:
        """All frames."""
        return np.arange(record['length'])

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``mask_paths`` of each frame; ``value_labels``: class index of each map value, or -1."""
        labels = np.full(256, -1, np.int64)
        for label, category in enumerate(self._metainfo['category_ids']):
            labels[category + 1] = label
        return dict(mask_paths=[record['masks'][i] for i in frame_ids], value_labels=labels)

    def _record(self, video: VSPWVideo) -> dict:
        if not self.test_mode:
            strictly(check_masks(video))
        height, width = read_image_size(video.frames[0])
        return dict(
            video_id=video.name,
            name=video.name,
            height=height,
            width=width,
            length=len(video.frames),
            frames=[str(frame) for frame in video.frames],
            masks=[None if mask is None else str(mask) for mask in video.masks],
        )
