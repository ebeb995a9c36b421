"""VSPW, video semantic segmentation, and any own data set in its layout."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category, load_table, parse_categories
from mmvseg.formats.problems import strictly
from mmvseg.formats.vspw import (
    find_categories,
    read_categories,
    read_video_names,
)
from mmvseg.registry import DATASETS

from .metainfo import refuse_chosen_classes, to_panoptic_metainfo
from .video_dataset import VideoDataset


@DATASETS.register_module()
class VSPWDataset(VideoDataset):
    """Videos with a class for every pixel.

    A map holds 1 + the category id, and 0 or 255 where there is no class. Frames are
    ``<video>/origin/*.jpg``, maps ``<video>/mask/*.png``.

    Args:
        ann_file: list of videos, one a line. A ``categories.json`` beside it or beside the folder
            of the videos, a list of ``dict(id, name)``, names the classes of own data.
        data_prefix: ``img`` is the folder of the videos.
        **kwargs: see :class:`VideoDataset`.

    Example:
        >>> VSPWDataset(  # doctest: +SKIP
        ...     ann_file='val.txt',
        ...     data_root='data/VSPW_480p',
        ...     data_prefix=dict(img='data'),
        ...     test_mode=True,
        ... )
    """

    tasks = ('vss',)

    @classmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config; VSPW's need no file."""
        unread = cls.unread(dataset_cfg)
        return to_panoptic_metainfo(
            read_vspw_categories(unread.ann_file, unread.data_prefix['img'])
        )

    def load_data_list(self) -> list[dict]:
        """List the frames of the videos."""
        folder = self.data_prefix['img']
        refuse_chosen_classes(self._metainfo, 'categories.json')
        self._metainfo.update(to_panoptic_metainfo(read_vspw_categories(self.ann_file, folder)))
        names = read_video_names(self.ann_file)
        records = [self._record(Path(folder, name), name) for name in names]
        if not self.test_mode:
            self._require_masks(records)
        return records

    def annotated_frames(self, record: dict) -> np.ndarray:
        """All frames."""
        return np.arange(record['length'])

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``mask_paths`` of each frame; ``value_labels``: class index of each map value, or -1."""
        labels = np.full(256, -1, np.int64)
        for label, category in enumerate(self._metainfo['category_ids']):
            labels[category + 1] = label
        return dict(mask_paths=[record['masks'][i] for i in frame_ids], value_labels=labels)

    def _require_masks(self, records: list[dict]) -> None:
        bare = [
            frame
            for record in records
            for frame, mask in zip(record['frames'], record['masks'], strict=True)
            if mask is None
        ]
        if bare:
            raise UserError(
                f'{self.ann_file}: {len(bare)} frames of its videos have no map to train on, e.g. '
                f'{bare[0]} has none in the folder mask'
            )

    def _record(self, folder: Path, name: str) -> dict:
        frames = sorted((folder / 'origin').glob('*.jpg'))
        if not frames:
            raise UserError(f'{self.ann_file}: video {name}: no frames in {folder / "origin"}')
        try:
            with Image.open(frames[0]) as image:
                width, height = image.size
        except OSError as error:
            raise UserError(f'{frames[0]}: not a readable image ({error})') from error
        found = {path.stem: str(path) for path in (folder / 'mask').glob('*.png')}
        return dict(
            video_id=name,
            name=name,
            height=height,
            width=width,
            length=len(frames),
            frames=[str(frame) for frame in frames],
            masks=[found.get(frame.stem) for frame in frames],
        )


def read_vspw_categories(ann_file: str | Path, videos: str | Path) -> list[Category]:
    """Classes of a data set; those of own data count as stuff unless ``isthing`` is 1.

    Args:
        ann_file: list of videos.
        videos: their folder.

    Raises:
        UserError: if its ``categories.json`` is damaged.
    """
    path = find_categories(ann_file, videos)
    if path is None:
        return load_table('vipseg')
    entries = [dict(isthing=0) | entry for entry in read_categories(path)]
    raws = [msgspec.Raw(msgspec.json.encode(entry)) for entry in entries]
    return strictly(parse_categories(raws, str(path), panoptic=True))
