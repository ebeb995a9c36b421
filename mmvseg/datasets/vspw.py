"""VSPW, video semantic segmentation, and any own data set in its layout."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.registry import DATASETS

from .categories import Category, load_table
from .metainfo import to_panoptic_metainfo
from .video_dataset import VideoDataset
from .vipseg_json import read_panoptic_categories
from .youtube_vis_json import load_json

#: Classes of own data, beside the list of videos; without it they are VSPW's.
CATEGORIES_FILE = 'categories.json'


@DATASETS.register_module()
class VSPWDataset(VideoDataset):
    """Videos with a class for every pixel.

    A map holds 1 + the category id, and 0 or 255 where there is no class. Frames are
    ``<video>/origin/*.jpg``, maps ``<video>/mask/*.png``.

    Args:
        ann_file: list of videos, one a line. A ``categories.json`` beside it, a list of
            ``dict(id, name, isthing)``, names the classes of own data.
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
        return to_panoptic_metainfo(read_vspw_categories(cls.path_of(dataset_cfg)))

    def load_data_list(self) -> list[dict]:
        """List the frames of the videos."""
        self._metainfo.update(to_panoptic_metainfo(read_vspw_categories(self.ann_file)))
        names = read_video_names(self.ann_file)
        return [self._record(Path(self.data_prefix['img'], name), name) for name in names]

    def annotated_frames(self, record: dict) -> np.ndarray:
        """All frames."""
        return np.arange(record['length'])

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``mask_paths`` of each frame, and ``value_labels``: class index of each map value or -1.

        Raises:
            UserError: a frame has no map.
        """
        paths = [record['masks'][i] for i in frame_ids]
        if None in paths:
            frame = record['frames'][frame_ids[paths.index(None)]]
            raise UserError(f'video {record["name"]}: {frame} has no map in the folder mask')
        labels = np.full(256, -1, np.int64)
        for label, category in enumerate(self._metainfo['category_ids']):
            labels[category + 1] = label
        return dict(mask_paths=paths, value_labels=labels)

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


def read_vspw_categories(ann_file: str | Path) -> list[Category]:
    """Classes of the data set whose list of videos is ``ann_file``.

    Raises:
        UserError: if its ``categories.json`` is damaged, or has an id that a map cannot hold.
    """
    path = Path(ann_file).parent / CATEGORIES_FILE
    if not path.is_file():
        return load_table('vipseg')
    content = load_json(path)
    if not isinstance(content, list):
        raise UserError(f'{path}: not a list of categories')
    categories = read_panoptic_categories(dict(categories=content), path)
    if bad := [category.id for category in categories if not 0 <= category.id <= 253]:
        raise UserError(f'{path}: category id {bad[0]}: a map can hold 0 to 253')
    return categories


def read_video_names(ann_file: str | Path) -> list[str]:
    """The videos of a list, one a line.

    Raises:
        UserError: if it cannot be read, names none, or names one twice.
    """
    try:
        names = [line.strip() for line in Path(ann_file).read_text().splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'{ann_file}: cannot be read ({error})') from error
    names = [name for name in names if name]
    if not names:
        raise UserError(f'{ann_file}: names no video')
    if doubled := [name for name in names if names.count(name) > 1]:
        raise UserError(f'{ann_file}: names video {doubled[0]} twice')
    return names
