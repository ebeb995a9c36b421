"""Reading configs for the command line, and saying what is wrong with them in the user's words."""

import argparse
import difflib
import functools
import inspect
import os
import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config, DictAction
from mmengine.registry import Registry

import mmvseg.registry as registries
from mmvseg.errors import UserError

#: Top-level keys that need not stand in a config to be set by ``--cfg-options``.
_OPTIONAL_KEYS = {
    *('allow_missing', 'allow_pickle', 'auto_scale_lr', 'compile', 'custom_hooks', 'default_hooks'),
    *('env_cfg', 'experiment_name', 'find_unused_parameters', 'load_from', 'log_level'),
    *('log_processor', 'model_wrapper_cfg', 'optim_wrapper', 'param_scheduler', 'randomness'),
    *('resume', 'sync_bn', 'test_cfg', 'test_dataloader', 'test_evaluator', 'train_cfg'),
    *('train_dataloader', 'val_cfg', 'val_dataloader', 'val_evaluator', 'visualizer', 'work_dir'),
}
_UNKNOWN_TYPE = re.compile(r'^[\'"]?(\S+) is not in the \S+::(.+?) registry')
_UNKNOWN_ARGUMENT = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_MISSING_ARGUMENT = re.compile(r'(\w+)\.__init__\(\) missing \d+ required .*arguments?: (.*)')
_SUFFIXES = ('.py', '.json', '.yml', '.yaml')
#: What a config, which is code of the user's, is expected to raise.
_READING_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError),
    *(OSError, RuntimeError, SyntaxError, TypeError, ValueError, yaml.YAMLError),
)


class _KeyValueAction(DictAction):
    """mmengine's action with a message for what is not ``KEY=VALUE``."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        for text in values:
            key, equals, _ = text.partition('=')
            if not (key and equals):
                raise argparse.ArgumentError(self, f'{text!r} is not KEY=VALUE')
        try:
            super().__call__(parser, namespace, values, option_string)
        except AssertionError as error:  # mmengine's check of brackets
            raise argparse.ArgumentError(self, str(error)) from error


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to a tool."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_KeyValueAction,
        default={},
        metavar='KEY=VALUE',
        help='change config values, e.g. train_cfg.max_iters=100 model.backbone.with_cp=True',
    )


def load_config(path: str | Path, cfg_options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and change the given keys.

    Args:
        path: a text config.
        cfg_options: values by dotted key.

    Raises:
        UserError: the file is missing, no config or has an error, or an option names an unknown
            section.
    """
    path = Path(path)
    if path.suffix and path.suffix not in _SUFFIXES:
        raise UserError(
            f'config {path}: a config ends in {", ".join(_SUFFIXES)}; is this the checkpoint? the '
            'order is CONFIG CHECKPOINT'
        )
    if not path.is_file():
        raise UserError(f'config {path}: no such file{_closest_configs(path)}')
    try:
        cfg = Config.fromfile(path)
    except FileNotFoundError as error:
        raise UserError(f'config {path}: a file of its _base_ is missing: {error}') from error
    except _READING_ERRORS as error:
        raise UserError(f'config {path}: {type(error).__name__}: {error}') from error
    known = _OPTIONAL_KEYS | set(cfg.keys())
    for key in cfg_options or {}:
        section = key.split('.')[0]
        if section not in known:
            raise UserError(f'--cfg-options {key}: no such key{_suggest(section, known)}')
    try:
        cfg.merge_from_dict(dict(cfg_options or {}))
    except (KeyError, TypeError, IndexError) as error:
        raise UserError(f'--cfg-options: {error}') from error
    return cfg


def default_work_dir(cfg: Config) -> str:
    """``work_dirs/`` and the config's name."""
    return str(Path('work_dirs') / Path(cfg.filename).stem)


@contextmanager
def config_errors(cfg: Config) -> Iterator[None]:
    """Turn what mmengine raises for a mistyped config into a :class:`UserError`.

    Args:
        cfg: the config that things are built from inside the context.
    """
    try:
        yield
    except (KeyError, TypeError) as error:
        explained = explain_build_error(cfg, error)
        if explained is None:
            raise
        raise UserError(explained) from error


def explain_build_error(cfg: Config, error: Exception) -> str | None:
    """A message for an unknown type or argument, with the config key and the closest names.

    Returns:
        None if ``error`` is of another kind.
    """
    text = str(error.args[0]) if error.args else ''
    if match := _UNKNOWN_TYPE.search(text):
        return _explain_type(cfg, *match.groups())
    unknown = _UNKNOWN_ARGUMENT.search(text)
    if unknown and not unknown[1].endswith('.__init__'):
        return _explain_function_argument(cfg, error, *unknown.groups())
    # only errors from the call that builds a part, not from deeper inside one
    if 'build_from_cfg' not in {frame.name for frame in traceback.extract_tb(error.__traceback__)}:
        return None
    if unknown:
        cls, argument = unknown[1].removesuffix('.__init__'), unknown[2]
        where = _find(cfg, cls, argument)
        accepted = _arguments_of(cls)
        return (
            f'config {_where(cfg, where, argument)}: {cls} has no argument {argument!r}'
            f'{_suggest(argument, accepted)}'
        )
    if match := _MISSING_ARGUMENT.search(text):
        cls, arguments = match.groups()
        return f'config {_where(cfg, _find(cfg, cls))}: {cls} needs {arguments}'
    return None


def _explain_function_argument(
    cfg: Config, error: Exception, function: str, argument: str
) -> str | None:
    """The same for a section whose values mmengine passes to a function, e.g. ``randomness``."""
    frames = [frame.f_globals for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [names.get('__name__', '').split('.')[0] for names in frames]
    callers = [package for package in packages if package != 'torch']  # its decorators
    where = _find_key(cfg._cfg_dict, argument)
    if callers[-1:] != ['mmengine'] or where is None:
        return None
    first, *rest = function.split('.')
    for names in reversed(frames):
        target = functools.reduce(lambda x, name: getattr(x, name, None), rest, names.get(first))
        if callable(target):
            accepted = inspect.signature(target).parameters.keys() - {'self'}
            break
    else:
        accepted = set()
    return (
        f'config {_where(cfg, where)}: there is no such option (no argument of '
        f'{function}){_suggest(argument, accepted)}'
    )


def _explain_type(cfg: Config, name: str, registry_name: str) -> str:
    names: set[str] = set()
    for registry in vars(registries).values():
        if isinstance(registry, Registry) and registry.name == registry_name:
            node = registry
            while node is not None:
                names |= set(node.module_dict)
                node = node.parent
    where = _where(cfg, _find(cfg, name), 'type')
    return f'config {where}: there is no {registry_name} {name!r}{_suggest(name, names)}'


def _suggest(name: str, candidates: Iterable[str]) -> str:
    by_lower = {candidate.lower(): candidate for candidate in sorted(candidates)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if not close:
        return ''
    return '; did you mean ' + ' or '.join(by_lower[match] for match in close) + '?'


def _closest_configs(path: Path) -> str:
    roots = {p for p in (path.parent, Path('configs')) if p.is_dir()}
    found = {str(p) for root in roots for p in root.rglob('*.py') if '_base_' not in p.parts}
    by_name = {Path(name).stem: name for name in sorted(found)}
    close = difflib.get_close_matches(path.stem, by_name, n=3, cutoff=0.4)
    return '; did you mean ' + ' or '.join(by_name[m] for m in close) + '?' if close else ''


def _find(value: Any, type_name: str, argument: str | None = None, where: str = '') -> str | None:
    """Dotted key of the first part of a config with this type (and argument)."""
    if isinstance(value, Config):
        value = value._cfg_dict
    if isinstance(value, Mapping):
        of_type = str(value.get('type', '')).rsplit('.', 1)[-1] == type_name.rsplit('.', 1)[-1]
        if of_type and (argument is None or argument in value):
            return where
        items = [(f'{where}.{key}'.lstrip('.'), child) for key, child in value.items()]
    elif isinstance(value, list | tuple):
        items = [(f'{where}[{index}]', child) for index, child in enumerate(value)]
    else:
        return None
    for child_where, child in items:
        found = _find(child, type_name, argument, child_where)
        if found is not None:
            return found
    return None


def _find_key(value: Any, key: str, where: str = '') -> str | None:
    """Dotted path of the first ``key`` of a config."""
    if isinstance(value, Mapping):
        if key in value:
            return f'{where}.{key}'.lstrip('.')
        items = [(f'{where}.{name}'.lstrip('.'), child) for name, child in value.items()]
    elif isinstance(value, list | tuple):
        items = [(f'{where}[{index}]', child) for index, child in enumerate(value)]
    else:
        return None
    found = (_find_key(child, key, child_where) for child_where, child in items)
    return next((path for path in found if path is not None), None)


def _where(cfg: Config, key: str | None, last: str | None = None) -> str:
    path = os.path.relpath(cfg.filename) if cfg.filename else ''
    if key is None:
        return path
    return f'{path}, {key}.{last}'.strip(', ') if last else f'{path}, {key}'.strip(', ')


def _arguments_of(class_name: str) -> set[str]:
    for registry in vars(registries).values():
        if not isinstance(registry, Registry):
            continue
        node = registry
        while node is not None:
            cls = node.module_dict.get(class_name)
            if cls is not None:
                return {n for n in inspect.signature(cls).parameters if n not in ('args', 'kwargs')}
            node = node.parent
    return set()
