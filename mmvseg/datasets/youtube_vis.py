"""YouTube-VIS, OVIS, LV-VIS, and any own data set in their annotation format."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category, load_table
from mmvseg.formats.problems import Flaws
from mmvseg.formats.youtube_vis import (
    YouTubeVIS,
    has_annotations,
    read_categories,
    read_youtube_vis,
)
from mmvseg.registry import DATASETS

from .metainfo import to_metainfo
from .tracks import report_training_set, to_records, trained_objects
from .video_dataset import VideoDataset

#: Class table of each published data set; of those that name no classes, one of a single class.
TABLES = {
    '2019': 'ytvis_2019',
    '2021': 'ytvis_2021',
    'ovis': 'ovis',
    'lvvis': 'lv_vis',
    'object': 'object',
}


@DATASETS.register_module()
class YouTubeVISDataset(VideoDataset):
    """Videos with instance tracks, read straight from json of the official format.

    The records of videos hold ``instances``, each a ``dict(id, label, iscrowd, segmentations=[rle
    or None] * T, bboxes=[xyxy or None] * T, areas=[pixels] * T, trained=[bool] * T)``.

    Args:
        version: ``'2019'``, ``'2021'`` (2022 as well), ``'ovis'`` or ``'lvvis'``: the file's
            categories must be the published ones. ``'object'``: they must be the one class
            ``object``, as of imported DAVIS and MOSE. None: own data, the classes are the file's
            categories in the file's order.
        metainfo: with ``version=None``, ``classes`` may name the categories to use and their order;
            objects of other categories are left out, of training as of the metrics.
        **kwargs: see :class:`VideoDataset`.

    Example:
        >>> dataset = YouTubeVISDataset(
        ...     ann_file='val.json', data_root='shapes', data_prefix=dict(img='val/JPEGImages')
        ... )
        >>> dataset.metainfo['classes']
        ('disc', 'square', 'triangle', 'star', 'ring', 'cross')
        >>> len(dataset)  # frames that a clip can be drawn around
        24
    """

    def __init__(
        self,
        *args,
        version: str | int | None = None,
        metainfo: Mapping[str, Any] | None = None,
        **kwargs,
    ) -> None:
        self.version = _known_version(version, metainfo)
        super().__init__(*args, metainfo=metainfo, **kwargs)

    @classmethod
    def read_metainfo(cls, dataset_cfg: Mapping[str, Any]) -> dict:
        """Classes of a config; a published ``version`` is answered without its annotation file."""
        version = _known_version(dataset_cfg.get('version'), dataset_cfg.get('metainfo'))
        if version is not None:
            return to_metainfo(load_table(TABLES[version]))
        ann_file = cls.unread(dataset_cfg).ann_file
        classes = (dataset_cfg.get('metainfo') or {}).get('classes')
        return to_metainfo(select_categories(cls.read_classes(ann_file), None, classes, ann_file))

    @classmethod
    def read_classes(cls, ann_file: str | Path) -> list[Category]:
        """The classes of an annotation file alone; they are needed before the data set is built."""
        return read_categories(ann_file)

    @classmethod
    def is_annotated(cls, ann_file: str | Path) -> bool:
        """Whether an annotation file can be validated against; the released ones cannot."""
        return has_annotations(ann_file)

    @classmethod
    def read_file(
        cls, ann_file: str | Path, with_annotations: bool = True, flaws: Flaws | None = None
    ) -> YouTubeVIS:
        """Read an annotation file; a sub-class may read files of another form.

        Args:
            ann_file: its path.
            with_annotations: whether to read the objects, too.
            flaws: see :func:`mmvseg.formats.youtube_vis.read_youtube_vis`.
        """
        return read_youtube_vis(ann_file, with_annotations, flaws)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file into video records."""
        flaws = Flaws()
        file = self.read_file(self.ann_file, not self.test_mode, flaws)
        used = select_categories(
            file.categories, self.version, self._metainfo.get('classes'), self.ann_file
        )
        self._metainfo.update(to_metainfo(used))
        labels = {category.id: label for label, category in enumerate(used)}
        records = to_records(file, self.data_prefix['img'], labels, self.allow_outside_root)
        if not self.test_mode:
            report_training_set(records, file, flaws, self.min_size)
        return records

    def annotated_frames(self, record: dict) -> np.ndarray:
        """The frames that hold an object."""
        present = np.zeros(record['length'], bool)
        for instance in record['instances']:
            present |= [box is not None for box in instance['bboxes']]
        return np.flatnonzero(present)

    def frame_annotations(self, record: dict, frame_ids: Sequence[int]) -> dict:
        """``objects``: those of each frame, as ``dict(id, label, bbox, rle)``."""
        return dict(objects=[trained_objects(record, frame) for frame in frame_ids])


def select_categories(
    found: list[Category], version: str | None, classes: Sequence[str] | None, ann_file: str
) -> list[Category]:
    """The categories to use, in class order.

    Args:
        found: the annotation file's categories.
        version: published table that they must equal, if any.
        classes: names to choose from them, if any.
        ann_file: for messages.

    Raises:
        UserError: naming the classes that differ.
    """
    if version is not None:
        table = load_table(TABLES[version])
        _compare(found, table, version, ann_file)
        return table
    if classes is None:
        return found
    by_name = {category.name: category for category in found}
    missing = [name for name in classes if name not in by_name]
    if missing:
        raise UserError(
            f'annotation file {ann_file} has no categories named {", ".join(missing)} '
            f'(metainfo.classes); it has {", ".join(by_name)}'
        )
    return [by_name[name] for name in classes]


def _known_version(version: str | int | None, metainfo: Mapping[str, Any] | None) -> str | None:
    # A number is what --cfg-options makes of 2021.
    known = None if version is None else str(version)
    if known is not None and known not in TABLES:
        raise UserError(f'dataset version {version!r}: use one of {", ".join(TABLES)} or None')
    if known is not None and (metainfo or {}).get('classes') is not None:
        raise UserError(
            f'dataset: version {known!r} fixes the classes, so metainfo.classes cannot choose '
            'among them; set version=None to use some of the classes, or remove metainfo.classes'
        )
    return known


def _compare(found: list[Category], table: list[Category], version: str, ann_file: str) -> None:
    ids, expected = ({c.name: c.id for c in categories} for categories in (found, table))
    problems = []
    if missing := [name for name in expected if name not in ids]:
        problems.append(f'missing: {", ".join(missing)}')
    if unknown := [name for name in ids if name not in expected]:
        problems.append(f'not in {version}: {", ".join(unknown)}')
    if moved := [n for n in expected if n in ids and ids[n] != expected[n]]:
        shown = ', '.join(f'{name} has id {ids[name]}, not {expected[name]}' for name in moved)
        problems.append(f'other ids: {shown}')
    if problems:
        raise UserError(
            f'annotation file {ann_file}: its categories are not those of version {version} '
            f'({"; ".join(problems)}). Choose the right version, or version=None for own classes'
        )
