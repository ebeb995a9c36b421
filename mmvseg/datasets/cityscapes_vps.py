"""Cityscapes-VPS, video panoptic segmentation with six labelled of 30 frames."""

import os.path
from collections.abc import Mapping, Sequence
from typing import Any

from mmvseg.formats import cityscapes_vps
from mmvseg.formats.categories import Category
from mmvseg.formats.panoptic_records import PanopticSet, Video
from mmvseg.registry import DATASETS

from .vipseg import VIPSegDataset


@DATASETS.register_module()
class CityscapesVPSDataset(VIPSegDataset):
    """Videos of which every fifth frame is labelled.

    A clip for training is of labelled frames, so that neighbours in it lie five frames apart. In
    tests a model sees all frames; what it says of the labelled ones is written and scored.

    Args:
        ann_file: ``panoptic_gt_train_city_vps.json`` or the like. Of a split without labels,
            ``panoptic_im_test_city_vps.json``.
        data_prefix: ``img`` and ``mask`` are the folders of the pictures and of the segment maps.
        all_frames: in tests, ``im_all_info_val_city_vps.json``, relative to ``data_root``;
            ``data_prefix.img`` then is the folder of all frames, ``val/img_all``. None: the model
            sees the labelled frames alone.
        version: ``'cityscapes_vps'``: the file's categories must be those. None: own data.
        **kwargs: see :class:`VideoDataset`.

    Example:
        >>> CityscapesVPSDataset(  # doctest: +SKIP
        ...     version='cityscapes_vps',
        ...     ann_file='panoptic_gt_val_city_vps.json',
        ...     all_frames='im_all_info_val_city_vps.json',
        ...     data_root='data/cityscapes_vps',
        ...     data_prefix=dict(img='val/img_all', mask='val/panoptic_video'),
        ...     test_mode=True,
        ... )
    """

    results_form = 'cityscapes_vps'
    published = 'cityscapes_vps'
    title = 'Cityscapes-VPS'

    def __init__(self, *args, all_frames: str | None = None, **kwargs) -> None:
        self.all_frames = all_frames
        super().__init__(*args, **kwargs)

    @staticmethod
    def read_categories(ann_file: str) -> list[Category]:
        """The categories of an annotation file alone."""
        return cityscapes_vps.read_categories(ann_file)

    def read(self, masks: str) -> PanopticSet:
        """See :class:`VIPSegDataset`."""
        with_annotations = not self.test_mode
        found = cityscapes_vps.read_cityscapes_vps(self.ann_file, masks, with_annotations)
        self._all = {}
        if self.test_mode and self.all_frames is not None:
            path = os.path.join(self.data_root, self.all_frames)
            self._all = cityscapes_vps.read_all_frames(path, found.videos.values())
        return found

    def _record(self, video: Video, labels: Mapping[int, int]) -> dict:
        """The same with the labelled pictures' ids and names, and in tests with all frames."""
        record = super()._record(video, labels)
        record['image_ids'] = [frame.image.id for frame in video.frames]
        record['file_names'] = [frame.image.file_name for frame in video.frames]
        if (frames := self._all.get(video.name)) is not None:
            folder = self.data_prefix['img']
            record['frames'] = [os.path.join(folder, name) for name in frames.names]
            record.update(length=len(frames.names), labelled=frames.labelled)
        return record

    def counted_frames(self, record: Mapping[str, Any]) -> Sequence[int] | None:
        """The labelled frames, where these are not all."""
        return record.get('labelled')
