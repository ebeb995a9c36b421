"""KITTI-STEP and MOTChallenge-STEP, video panoptic segmentation, and own data in their layout."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.problems import strictly
from mmvseg.formats.step import find_sequence, list_sequences, read_classes
from mmvseg.media.images import read_image_size
from mmvseg.registry import DATASETS

from .metainfo import refuse_chosen_classes, to_panoptic_metainfo
from .video_dataset import VideoDataset


@DATASETS.register_module()
class STEPDataset(VideoDataset):
    """Sequences with a map of classes and instances for every frame.

    The files are described in :mod:`mmvseg.formats.step`. Void is not trained on, nor are things
    that belong to no track (number 0).

    Args:
        ann_file: folder whose folders are the sequences: that of the maps, such as
            ``panoptic_maps/train``; of a split without maps, that of the pictures.
        data_prefix: ``img`` and ``mask`` are the folders of the sequences' pictures and maps;
            without ``mask`` there are no maps.
        version: of the classes, ``'kitti_step'`` or ``'motchallenge_step'``; None: those of a
            ``categories.json`` beside the maps.
        sequences: names of those to take; None: all.
        **kwargs: see :class:`VideoDataset`.

    Example:
        >>> STEPDataset(  # doctest: +SKIP
        ...     version='kitti_step',
        ...     ann_file='panoptic_maps/val',
        ...     data_root='data/kitti_step',
        ...     data_prefix=dict(img='images/val', mask='panoptic_maps/val'),
        ...     test_mode=True,
        ... )
    """

    tasks = ('vps',)
    results_form = 'step'

    def __init__(
        self,
        *args,
        version: str | None = None,
        sequences: Sequence[str] | None = None,
        **kwargs,
    ) -> None:
        self.version, self.sequences = version, sequences
        super().__init__(*args, **kwargs)

    @classmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config; with ``version`` this needs no file."""
        unread = cls.unread(dataset_cfg)
        return to_panoptic_metainfo(read_classes(unread.ann_file, dataset_cfg.get('version')))

    def load_data_list(self) -> list[dict]:
        """List the frames and maps of the sequences."""
        refuse_chosen_classes(self._metainfo, 'the maps')
        categories = read_classes(self.ann_file, self.version)
        self._metainfo.update(to_panoptic_metainfo(categories))
        self._categories = {category.id: category for category in categories}
        if not self.test_mode and not self.data_prefix.get('mask'):
            raise UserError('dataset.data_prefix: needs mask, the folder of the maps to train on')
        names = list_sequences(self.ann_file, self.sequences)
        return [self._record(name) for name in names]

    def annotated_frames(self, record: dict) -> np.ndarray:
        """All frames."""
        return np.arange(record['length'])

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``mask_paths`` of each frame, ``categories`` and, by their ids, ``labels``."""
        return dict(
            mask_paths=[record['masks'][i] for i in frame_ids],
            categories=self._categories,
            labels={category: i for i, category in enumerate(self._metainfo['category_ids'])},
        )

    def _record(self, name: str) -> dict:
        masks = None if self.test_mode else self.data_prefix.get('mask')
        sequence = strictly(find_sequence(name, self.data_prefix['img'], masks))
        height, width = read_image_size(sequence.frames[0])
        return dict(
            video_id=name,
            name=name,
            height=height,
            width=width,
            length=len(sequence.frames),
            frames=[str(frame) for frame in sequence.frames],
            masks=[None if mask is None else str(mask) for mask in sequence.masks],
        )
