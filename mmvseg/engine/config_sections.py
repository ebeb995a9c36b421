"""The sections of a config: what kind of value stands where, and what a tool needs."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mmengine.config import Config

from mmvseg.errors import UserError, short

_DATALOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')
#: Sections that hold named values, and those that may also be a list of such.
_SECTIONS = (
    *('model', *_DATALOADERS, 'train_cfg', 'val_cfg', 'test_cfg', 'optim_wrapper', 'env_cfg'),
    *('default_hooks', 'randomness', 'log_processor', 'auto_scale_lr', 'visualizer'),
)
_SECTIONS_OR_LISTS = ('val_evaluator', 'test_evaluator', 'param_scheduler', 'custom_hooks')
#: Smallest value of whole numbers, by key.
_COUNTS = {
    **{f'{name}.batch_size': 1 for name in _DATALOADERS},
    **{f'{name}.num_workers': 0 for name in _DATALOADERS},
    **{f'train_cfg.{name}': 1 for name in ('max_iters', 'max_epochs', 'val_interval', 'val_begin')},
    'optim_wrapper.accumulative_counts': 1,
    'test_cfg.window_size': 1,
    'randomness.seed': 0,
    'auto_scale_lr.base_batch_size': 1,
}
OWN_DATA_HINT = ' (to train on own data, name them in own_data, see docs/data.md)'
_TEXTS = ('load_from', 'work_dir', 'experiment_name', 'default_scope')


def describe(value: Any) -> str:
    """A value of a config for a message."""
    if isinstance(value, Mapping):
        kind = value.get('type')
        return f'a section of type {kind}' if kind else f'a section with {", ".join(value)}'
    return short(repr(value))


def check_sections(cfg: Config) -> None:
    """Make sure that what stands in a config can be read as what it should be.

    Raises:
        UserError: with the key, what is needed and what is there.
    """
    for key in _SECTIONS:
        _check(cfg, key, cfg.get(key), _is_section, 'a section, dict(...)')
    for key in _SECTIONS_OR_LISTS:
        _check(cfg, key, cfg.get(key), is_section_or_list, 'a section or a list of such')
    for key in _TEXTS:
        _check(cfg, key, cfg.get(key), lambda value: isinstance(value, str), 'a text')
    for key in ('allow_missing', 'load_parts', 'log_to'):
        _check(cfg, key, cfg.get(key), _is_list_of_texts, 'a list of texts')
    for key in _COUNTS:
        section, name = key.split('.')
        value = (cfg.get(section) or {}).get(name)
        if rule := count_rule(key, value):
            raise UserError(f'config {cfg.filename}, {key} = {short(repr(value))}: {rule}')
        if isinstance(value, float):  # as 1e5
            cfg[section][name] = int(value)
    for key in (*_SECTIONS, *_SECTIONS_OR_LISTS):
        for where, part in parts_of(cfg.get(key), key):
            if isinstance(part, Mapping) and part.get('type') is not None:
                _check_type(cfg, where, part)
    if cfg.get('model') is not None:
        _check_type(cfg, 'model', cfg.model)
    for name, hook in (cfg.get('default_hooks') or {}).items():
        _check(cfg, f'default_hooks.{name}', hook, _is_section, 'a section, dict(...)')
    for name in _DATALOADERS:
        for key in ('sampler', 'batch_sampler'):
            part = (cfg.get(name) or {}).get(key)
            _check(cfg, f'{name}.{key}', part, _is_section, 'a section, dict(...)')
        if cfg.get(name) and cfg[name].get('dataset') is not None:
            _check_dataset(cfg, f'{name}.dataset', cfg[name]['dataset'])


def require(cfg: Config, *keys: str) -> None:
    """Make sure that a config has what a tool needs, e.g. ``model`` or ``test_dataloader.dataset``.

    Raises:
        UserError: with the first key that is missing.
    """
    for key in keys:
        part: Any = cfg
        for name in key.split('.'):
            part = part.get(name) if isinstance(part, Config | Mapping) else None
        if not part:
            raise UserError(
                f'config {cfg.filename}: has no {key}; is it the config of a whole model and its '
                'data, not only a part for _base_?'
            )


def parts_of(value: Any, where: str = '') -> Iterator[tuple[str, Any]]:
    """All that stands in a part of a config, with its dotted key, sections before their values."""
    yield where, value
    items = value.items() if isinstance(value, Mapping) else ()
    if isinstance(value, list | tuple):
        items = enumerate(value)
    for name, child in items:
        yield from parts_of(child, f'{where}.{name}'.lstrip('.'))


def count_rule(key: str, value: Any) -> str:
    """What the value of a key must be that counts something; empty if it is."""
    least = _COUNTS.get(key)
    is_whole = type(value) is int or (type(value) is float and value.is_integer())
    if least is None or value is None or (is_whole and least <= value < 2**63):
        return ''
    return f'must be a whole number of at least {least}'


def _check_dataset(cfg: Config, where: str, dataset: Any) -> None:
    _check(cfg, where, dataset, _is_section, 'a section, dict(...)')
    _check_type(cfg, where, dataset)
    for key in ('ann_file', 'data_root'):
        _check(cfg, f'{where}.{key}', dataset.get(key), _is_path, 'a text')
    for key in ('data_prefix', 'clip', 'metainfo'):
        _check(cfg, f'{where}.{key}', dataset.get(key), _is_section, 'a section, dict(...)')
    for key, value in (dataset.get('data_prefix') or {}).items():
        _check(cfg, f'{where}.data_prefix.{key}', value, _is_path, 'a text')
    wrong = [key for key in ('ann_file', 'data_root', 'data_prefix') if key in dataset]
    if 'datasets' in dataset and wrong:
        raise UserError(
            f'config {cfg.filename}, {where}.{wrong[0]}: {dataset["type"]} reads the files of its '
            f'parts, {where}.datasets{OWN_DATA_HINT}'
        )
    pipeline = dataset.get('pipeline')
    if pipeline in ([], ()):
        raise UserError(f'config {cfg.filename}, {where}.pipeline: is empty')
    _check(cfg, f'{where}.pipeline', pipeline, _is_list_of_sections, 'a list of sections')
    for name, part in _parts(cfg, where, dataset):
        _check_dataset(cfg, name, part)


def _parts(cfg: Config, where: str, dataset: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The data sets that a wrapper holds."""
    if 'dataset' in dataset:
        yield f'{where}.dataset', dataset['dataset']
    parts = dataset.get('datasets')
    _check(
        cfg,
        f'{where}.datasets',
        parts,
        lambda value: _is_section(value) or isinstance(value, list | tuple),
        'data sets',
    )
    named = parts.items() if isinstance(parts, Mapping) else enumerate(parts or ())
    yield from ((f'{where}.datasets.{name}', part) for name, part in named)


def _check_type(cfg: Config, where: str, section: Mapping[str, Any]) -> None:
    kind = section.get('type')
    if kind is None:
        raise UserError(
            f'config {cfg.filename}, {where}: has no type, which says what to build{OWN_DATA_HINT}'
        )
    _check(
        cfg,
        f'{where}.type',
        kind,
        lambda value: isinstance(value, str) or callable(value),
        'a name',
    )


def _check(cfg: Config, key: str, value: Any, fits: Callable[[Any], bool], needed: str) -> None:
    if value is not None and not fits(value):
        raise UserError(f'config {cfg.filename}, {key}: must be {needed}, and is {describe(value)}')


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list_of_sections(value: Any) -> bool:
    # a transform may be given as an object that takes an item
    return isinstance(value, list | tuple) and all(_is_section(v) or callable(v) for v in value)


def is_section_or_list(value: Any) -> bool:
    """Whether a value has the form of one or several sections."""
    return _is_section(value) or _is_list_of_sections(value)


def _is_list_of_texts(value: Any) -> bool:
    return isinstance(value, list | tuple) and all(isinstance(entry, str) for entry in value)


def _is_path(value: Any) -> bool:
    return isinstance(value, str) and '\0' not in value
