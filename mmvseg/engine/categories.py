"""One place for the classes: they flow from the data to the model and are checked at loading.

The rule: before the model is built, every key ``num_classes`` inside ``model`` is set to the number
of categories of the training dataset, and every key ``num_things`` to the number of those that are
things. So a config for own data only names its dataset. A trained model keeps the classes that its
checkpoint notes; other data are matched with them by name.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mmvseg.datasets import VideoDataset, dataset_metainfo
from mmvseg.datasets.class_names import check_same_classes, describe_difference
from mmvseg.datasets.metainfo import check_class_names
from mmvseg.errors import UserError
from mmvseg.registry import DATASETS


def sync_num_classes(
    cfg: Config, dataloader: str = 'train_dataloader', checkpoint: Mapping[str, Any] | None = None
) -> list[str]:
    """Set the class counts in ``cfg.model`` to the dataset's, or to a trained model's.

    Args:
        cfg: config, changed in place.
        dataloader: which dataset counts, ``train_dataloader`` or ``test_dataloader``.
        checkpoint: to be tested; the classes that it notes count instead of the dataset's.

    Returns:
        One line for the log per changed value; empty if all agreed.

    Raises:
        UserError: the annotation file is missing or has no categories.
    """
    metainfo, source = classes_of(cfg[dataloader]['dataset']) or {}, 'dataset'
    if noted := noted_classes(checkpoint or {}):
        # which classes are things is known by the data alone where an older checkpoint is silent
        things = {key: metainfo[key] for key in ('thing_classes',) if key in metainfo}
        metainfo, source = things | noted, 'checkpoint'
    if not metainfo:
        return []
    names, things = metainfo['classes'], metainfo.get('thing_classes')
    changes = set_num_classes(cfg.model, len(names), None if things is None else len(things))
    return [f'{change} (from the {source})' for change in changes]


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
        dataset: the config; of wrappers like ``RepeatDataset`` the inner one counts, the parts of
            a ``ConcatDataset`` or ``JointClipDataset`` have to agree.

    Returns:
        ``classes``, the names by class index, and for video datasets what else
        :func:`mmvseg.datasets.dataset_metainfo` gives; None if the kind of dataset does not tell
        before it is built.

    Raises:
        UserError: the annotation file is missing or has no categories, the config names classes in
            a form that is no list of names, or the classes of parts differ.
    """
    if 'dataset' in dataset:
        return classes_of(dataset['dataset'])
    if 'datasets' in dataset:
        parts = dataset['datasets']
        named = parts.items() if isinstance(parts, Mapping) else enumerate(parts)
        found = {str(name): classes_of(part) for name, part in named}
        known = {name: metainfo for name, metainfo in found.items() if metainfo}
        if known:
            check_same_classes(known)
        return next(iter(known.values()), None)
    kind = DATASETS.get(dataset['type'])
    if isinstance(kind, type) and issubclass(kind, VideoDataset):
        return dataset_metainfo(dataset)
    check_class_names(dataset.get('metainfo'))
    classes = (dataset.get('metainfo') or getattr(kind, 'METAINFO', {})).get('classes')
    return dict(classes=tuple(classes)) if classes else None


def noted_classes(checkpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """``classes``, and what else a checkpoint notes of them; empty if it does not name them."""
    meta = checkpoint.get('meta')
    noted = meta.get('dataset_meta') if isinstance(meta, Mapping) else None
    if not isinstance(noted, Mapping) or not noted.get('classes'):
        return {}
    # a single class as a text, as other toolboxes let it pass
    classes = noted['classes']
    return dict(noted, classes=(classes,) if isinstance(classes, str) else tuple(classes))


def check_classes(checkpoint: Mapping[str, Any], source: str, dataset: Any) -> None:
    """Make sure that a training can go on with a dataset: the classes are those of before.

    Args:
        checkpoint: loaded; without a note of its classes nothing is checked.
        source: the checkpoint's name, for messages.
        dataset: its ``metainfo`` holds ``classes``.

    Raises:
        UserError: names differ or come in another order.
    """
    theirs = noted_classes(checkpoint).get('classes')
    ours = getattr(dataset, 'metainfo', {}).get('classes')
    if not theirs or not ours or tuple(theirs) == tuple(ours):
        return
    data = getattr(dataset, 'ann_file', None) or type(dataset).__name__
    raise UserError(
        f'the classes of checkpoint {source} ({len(theirs)}) and of the data {data} ({len(ours)}) '
        f'differ: {describe_difference(theirs, ours, "the checkpoint", "the data")}'
    )


def _dicts_with(value: Any, key: str, where: str) -> Iterator[tuple[str, dict]]:
    if isinstance(value, Mapping):
        if isinstance(value.get(key), int):
            yield where, value
        for name, child in value.items():
            yield from _dicts_with(child, key, f'{where}.{name}')
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield from _dicts_with(child, key, f'{where}[{index}]')
