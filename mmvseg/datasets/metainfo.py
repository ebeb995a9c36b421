"""The classes of a data set as ``metainfo``, also before the data set is read."""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category
from mmvseg.registry import DATASETS


def dataset_metainfo(dataset_cfg: Mapping[str, Any]) -> dict:
    """Classes of a dataset before it is built, see :func:`to_metainfo`.

    Args:
        dataset_cfg: config of a video dataset. Where the classes are published ones, this needs no
            file.

    Raises:
        UserError: the file that names the classes is missing or has none, or the config names them
            in a form that is no list of names.
    """
    check_class_names(dataset_cfg.get('metainfo'))
    kind = DATASETS.get(name := dataset_cfg.get('type', 'YouTubeVISDataset'))
    if not hasattr(kind, 'read_metainfo'):
        raise UserError(f'dataset.type = {name!r}: is no data set of videos')
    return kind.read_metainfo(dataset_cfg)


def check_class_names(metainfo: Mapping[str, Any] | None) -> None:
    """Make sure that the ``classes`` of a dataset config, if it has them, are a list of names.

    Raises:
        UserError: they are a text, empty, no texts, name a class twice, or are called CLASSES.
    """
    for name in metainfo or {}:
        if name != 'classes' and name.lower() == 'classes':  # as in older toolboxes
            raise UserError(f'dataset.metainfo.{name}: nothing reads it; write classes')
    classes = (metainfo or {}).get('classes')
    if classes is None:
        return
    if isinstance(classes, str):
        raise UserError(
            f'dataset.metainfo.classes is a text ({classes!r}); a list of names is needed: '
            f'classes=[{classes!r}]'
        )
    if not isinstance(classes, Sequence):
        raise UserError(
            f'dataset.metainfo.classes is of type {type(classes).__name__}; a list of names is '
            "needed, such as classes=['cup']"
        )
    if not classes:
        raise UserError(
            'dataset.metainfo.classes is empty: name the classes to use, or remove the key to use '
            'all'
        )
    for position, name in enumerate(classes):
        if not isinstance(name, str):
            raise UserError(f'dataset.metainfo.classes[{position}] = {name!r} is not a name')
        if name in classes[:position]:
            raise UserError(f'dataset.metainfo.classes names {name!r} twice')


def to_metainfo(categories: Sequence[Category]) -> dict:
    """``classes``, ``category_ids`` and ``palette`` (RGB), each a tuple in class order."""
    spare = _hues(len(categories))
    return dict(
        classes=tuple(category.name for category in categories),
        category_ids=tuple(category.id for category in categories),
        palette=tuple(c.color or other for c, other in zip(categories, spare, strict=True)),
    )


def to_panoptic_metainfo(categories: Sequence[Category]) -> dict:
    """The same with ``thing_classes`` and ``stuff_classes``, the names of either kind.

    Classes come in the order in which DVIS numbers them, see :func:`things_first`.
    """
    ordered = things_first(categories)
    return dict(
        to_metainfo(ordered),
        thing_classes=tuple(category.name for category in ordered if category.is_thing),
        stuff_classes=tuple(category.name for category in ordered if not category.is_thing),
    )


def refuse_chosen_classes(metainfo: Mapping[str, Any], source: str) -> None:
    """For data sets of maps, whose classes cannot be left out by ``metainfo.classes``.

    Args:
        metainfo: as given in the config.
        source: where the classes are named instead.

    Raises:
        UserError: it names classes.
    """
    if 'classes' in metainfo:
        raise UserError(
            f'dataset.metainfo.classes: every pixel has a class, so none can be left out; the '
            f'classes are those of {source}: remove the key'
        )


def things_first(categories: Sequence[Category]) -> list[Category]:
    """Things by their ids, then stuff by its ids: the class order of DVIS."""
    return sorted(categories, key=lambda category: (not category.is_thing, category.id))


def _hues(count: int) -> list[tuple[int, int, int]]:
    hsv = np.array([[(360 * i / max(count, 1), 0.7, 0.95) for i in range(count)]], np.float32)
    rgb = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0] * 255
    return [tuple(int(channel) for channel in color) for color in rgb]
