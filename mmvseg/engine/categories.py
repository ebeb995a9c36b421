"""One place for the classes: they flow from the dataset to the model and are checked at loading.

The rule: before the model is built, every key ``num_classes`` inside ``model`` is set to the number
of categories of the dataset. So a config for own data only names its dataset.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mmengine.config import Config

from mmvseg.datasets.youtube_vis import YouTubeVISDataset, dataset_metainfo
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS


def sync_num_classes(cfg: Config, dataloader: str = 'train_dataloader') -> list[str]:
    """Set every ``num_classes`` in ``cfg.model`` to the dataset's number of categories.

    Args:
        cfg: config, changed in place.
        dataloader: which dataset counts, ``train_dataloader`` or ``test_dataloader``.

    Returns:
        One line for the log per changed value; empty if all agreed.

    Raises:
        UserError: the annotation file is missing or has no categories.
    """
    names = dataset_classes(cfg[dataloader]['dataset'])
    if names is None:
        return []
    changes = set_num_classes(cfg.model, len(names))
    return [f'{change} (from the dataset)' for change in changes]


def set_num_classes(model: Mapping[str, Any], count: int) -> list[str]:
    """Set every ``num_classes`` in a model's config, in place.

    Returns:
        One line per changed value, with where it stands, what it was and what it is.
    """
    changes = []
    for where, part in _dicts_with(model, 'num_classes', 'model'):
        if part['num_classes'] != count:
            changes.append(f'{where}.num_classes: {part["num_classes"]} -> {count}')
            part['num_classes'] = count
    return changes


def dataset_classes(dataset: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Class names of a dataset config, without building the dataset.

    Args:
        dataset: the config; of wrappers like ``RepeatDataset`` the inner one counts, of a
            ``ConcatDataset`` or ``JointClipDataset`` the first.

    Returns:
        The names by class index; None if the kind of dataset does not tell before it is built.

    Raises:
        UserError: the annotation file is missing or has no categories.
    """
    if 'dataset' in dataset:
        return dataset_classes(dataset['dataset'])
    if 'datasets' in dataset:
        parts = dataset['datasets']
        return dataset_classes(next(iter(parts.values() if isinstance(parts, Mapping) else parts)))
    kind = DATASETS.get(dataset['type'])
    if isinstance(kind, type) and issubclass(kind, YouTubeVISDataset):
        return dataset_metainfo(dataset)['classes']
    classes = (dataset.get('metainfo') or getattr(kind, 'METAINFO', {})).get('classes')
    return tuple(classes) if classes else None


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
