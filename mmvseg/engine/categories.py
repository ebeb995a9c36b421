"""One place for the classes: they flow from the dataset to the model and are checked at loading.

The rule: before the model is built, every key ``num_classes`` inside ``model`` is set to the number
of categories of the dataset, and every key ``num_things`` to the number of those that are things.
So a config for own data only names its dataset.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmvseg.datasets import VideoDataset, dataset_metainfo
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS


def sync_num_classes(cfg: Config, dataloader: str = 'train_dataloader') -> list[str]:
    """Set the class counts in ``cfg.model`` to the dataset's.

    Args:
        cfg: config, changed in place.
        dataloader: which dataset counts, ``train_dataloader`` or ``test_dataloader``.

    Returns:
        One line for the log per changed value; empty if all agreed.

    Raises:
        UserError: the annotation file is missing or has no categories.
    """
    metainfo = classes_of(cfg[dataloader]['dataset'])
    if metainfo is None:
        return []
    names, things = metainfo['classes'], metainfo.get('thing_classes')
    changes = set_num_classes(cfg.model, len(names), None if things is None else len(things))
    return [f'{change} (from the dataset)' for change in changes]


def set_num_classes(
    model: Mapping[str, Any], num_classes: int, num_things: int | None = None
) -> list[str]:
    """Set every ``num_classes`` and ``num_things`` in a model's config, in place.

    Args:
        model: the config.
        num_classes: of things and stuff together.
        num_things: of things; None: all classes are.

    Returns:
        One line per changed value, with where it stands, what it was and what it is.
    """
    counts = dict(
        num_classes=num_classes, num_things=num_classes if num_things is None else num_things
    )
    changes = []
    for key, count in counts.items():
        for where, part in _dicts_with(model, key, 'model'):
            if part[key] != count:
                changes.append(f'{where}.{key}: {part[key]} -> {count}')
                part[key] = count
    return changes


def classes_of(dataset: Mapping[str, Any]) -> dict | None:
    """Classes of a dataset config, without building the dataset.

    Args:
        dataset: the config; of wrappers like ``RepeatDataset`` the inner one counts, of a
            ``ConcatDataset`` or ``JointClipDataset`` the first.

    Returns:
        ``classes``, the names by class index, and for video datasets what else
        :func:`mmvseg.datasets.dataset_metainfo` gives; None if the kind of dataset does not tell
        before it is built.

    Raises:
        UserError: the annotation file is missing or has no categories.
    """
    if 'dataset' in dataset:
        return classes_of(dataset['dataset'])
    if 'datasets' in dataset:
        parts = dataset['datasets']
        return classes_of(next(iter(parts.values() if isinstance(parts, Mapping) else parts)))
    kind = DATASETS.get(dataset['type'])
    if isinstance(kind, type) and issubclass(kind, VideoDataset):
        return dataset_metainfo(dataset)
    classes = (dataset.get('metainfo') or getattr(kind, 'METAINFO', {})).get('classes')
    return dict(classes=tuple(classes)) if classes else None


def check_classes(checkpoint: Mapping[str, Any], source: str, dataset: Any) -> None:
    """Compare the classes that a checkpoint was trained on with those of a built dataset.

    Args:
        checkpoint: loaded; without a note of its classes nothing is checked.
        source: the checkpoint's name, for messages.
        dataset: its ``metainfo`` holds ``classes``.

    Raises:
        UserError: names differ or come in another order.
    """
    meta = checkpoint.get('meta')
    noted = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    theirs = noted.get('classes') if isinstance(noted, Mapping) else None
    ours = getattr(dataset, 'metainfo', {}).get('classes')
    if not theirs or not ours or tuple(theirs) == tuple(ours):
        return
    data = getattr(dataset, 'ann_file', None) or type(dataset).__name__
    raise UserError(
        f'the classes of checkpoint {source} ({len(theirs)}) and of the data {data} ({len(ours)}) '
        f'differ: {_differences(theirs, ours)}'
    )


def _differences(theirs: Sequence[str], ours: Sequence[str]) -> str:
    missing = [name for name in theirs if name not in ours]
    extra = [name for name in ours if name not in theirs]
    parts = []
    if missing:
        parts.append(f'only in the checkpoint: {", ".join(missing)}')
    if extra:
        parts.append(f'only in the data: {", ".join(extra)}')
    if not parts:
        index = next(i for i, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b)
        parts.append(
            f'same names in another order, from index {index} on '
            f'({theirs[index]} in the checkpoint, {ours[index]} in the data)'
        )
    return '; '.join(parts)


def _dicts_with(value: Any, key: str, where: str) -> Iterator[tuple[str, dict]]:
    if isinstance(value, Mapping):
        if isinstance(value.get(key), int):
            yield where, value
        for name, child in value.items():
            yield from _dicts_with(child, key, f'{where}.{name}')
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _dicts_with(child, key, f'{where}[{index}]')
