"""Reading configs for the command line, and saying what is wrong with them in the user's words."""

import functools
import inspect
import os
import re
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry
from mmengine.runner import Runner

import mmvseg.registry as registries
from mmvseg.errors import UserError, short, suggest

from .cfg_options import apply_options
from .config_files import read_config
from .config_sections import check_sections, parts_of, require
from .own_data import use_own_data

__all__ = ['config_errors', 'default_work_dir', 'load_config', 'require']

_UNKNOWN_TYPE = re.compile(r'^[\'"]?(\S+) is not in the \S+::(.+?) registry')
_UNKNOWN_ARGUMENT = re.compile(r"([\w.]+)\(\) got an unexpected keyword argument '(\w+)'")
_MISSING_ARGUMENT = re.compile(r'(\w+)\.__init__\(\) missing \d+ required .*arguments?: (.*)')


def load_config(path: str | Path, cfg_options: Mapping[str, Any] | None = None) -> Config:
    """Read a config and change the given keys.

    Args:
        path: a text config.
        cfg_options: values by dotted key.

    Raises:
        UserError: the file is missing, no config or has an error; an option names nothing, or gives
            a value of another type; or a section is of another form than it should be.

    Example:
        >>> config = load_config('tevit_msgshift', {'optim_wrapper.optimizer.lr': 1e-3})
        >>> config.model.type, config.optim_wrapper.optimizer.lr
        ('TeViT', 0.001)
    """
    cfg = read_config(path)
    check_sections(cfg)
    use_own_data(cfg)
    if cfg_options:
        apply_options(cfg, cfg_options)
        check_sections(cfg)
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
    except UserError:
        raise
    except Exception as error:
        explained = None
        if isinstance(error, KeyError | TypeError):
            explained = explain_build_error(cfg, error)
        explained = explained or _explain_failed_build(cfg, error)
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
        kind = _innermost_build(error).get('obj_cls')
        if cls in {base.__name__ for base in getattr(kind, '__mro__', ())}:
            cls, accepted = kind.__name__, _accepted(kind)  # its **kwargs went to a base
        else:
            accepted = _arguments_of(cls)
        where = _find(cfg, cls, argument)
        # of a class that the config does not name, the key is the first of this name
        key = _find_key(cfg, argument) if where is None else f'{where}.{argument}'
        return (
            f'config {_where(cfg, key and key.lstrip("."))}: {cls} has no argument {argument!r}'
            f'{suggest(argument, accepted)}'
        )
    if match := _MISSING_ARGUMENT.search(text):
        cls, arguments = match.groups()
        return f'config {_where(cfg, _find(cfg, cls))}: {cls} needs {arguments}'
    return None


def _explain_failed_build(cfg: Config, error: Exception) -> str | None:
    """A message for values that the part of a model, a data set or the runner does not take."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    last = traceback.extract_tb(error.__traceback__)[-1]
    builders = [frame for frame in frames if frame.f_code.co_name == 'build_from_cfg']
    runners = [
        frame
        for frame in frames
        if frame.f_code.co_name == '__init__' and isinstance(frame.f_locals.get('self'), Runner)
    ]
    # mmengine says by assertions what it does not take
    told = isinstance(error, AssertionError) and error.args and '/mmengine/' in last.filename
    if not builders and not runners and not told:
        return None
    text = ' '.join(f'{type(error).__name__}: {error}'.split()).removesuffix(':')
    place = f'{short(text, 500)} ({os.path.basename(last.filename)}, line {last.lineno})'
    if not builders:
        return f'config {_where(cfg, None)}: cannot be run: {place}'
    kind = builders[-1].f_locals.get('obj_type')
    kind = str(getattr(kind, '__name__', kind))
    where = _where(cfg, _find(cfg, kind))
    given = builders[-1].f_locals.get('args') or {}
    plain = (str, int, float, list, tuple)  # and no objects, which say nothing
    values = ', '.join(f'{k}={v!r}' for k, v in given.items() if isinstance(v, plain))
    return f'config {where}: {kind} cannot be built with {short(values, 300)}: {place}'


def _innermost_build(error: Exception) -> dict[str, Any]:
    """Local variables of mmengine's function that built the part with the error, if any."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    built = (f.f_locals for f in reversed(frames) if f.f_code.co_name == 'build_from_cfg')
    return next(built, {})


def _explain_function_argument(
    cfg: Config, error: Exception, function: str, argument: str
) -> str | None:
    """The same for a section whose values mmengine passes to a function, e.g. ``randomness``."""
    frames = [frame.f_globals for frame, _ in traceback.walk_tb(error.__traceback__)]
    packages = [names.get('__name__', '').split('.')[0] for names in frames]
    callers = [package for package in packages if package != 'torch']  # its decorators
    where = _find_key(cfg, argument)
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
        f'{function}){suggest(argument, accepted)}'
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
    return f'config {where}: there is no {registry_name} {name!r}{suggest(name, names)}'


def _find(cfg: Config, type_name: str, argument: str | None = None) -> str | None:
    """Dotted key of the first part of a config with this type (and argument)."""
    name = type_name.rsplit('.', 1)[-1]
    for where, part in parts_of(cfg._cfg_dict):
        if not isinstance(part, Mapping) or (argument is not None and argument not in part):
            continue
        if str(part.get('type', '')).rsplit('.', 1)[-1] == name:
            return where
    return None


def _find_key(cfg: Config, key: str) -> str | None:
    """Dotted path of the first ``key`` of a config."""
    for where, part in parts_of(cfg._cfg_dict):
        if isinstance(part, Mapping) and key in part:
            return f'{where}.{key}'.lstrip('.')
    return None


def _where(cfg: Config, key: str | None, last: str | None = None) -> str:
    path = os.path.relpath(cfg.filename) if cfg.filename else ''
    if key is None:
        return path
    return f'{path}, {key}.{last}'.strip(', ') if last else f'{path}, {key}'.strip(', ')


def _arguments_of(class_name: str) -> set[str]:
    """Arguments of a registered class or function, or of a class that such a one inherits from."""
    parts: list[Any] = []
    for registry in vars(registries).values():
        node = registry if isinstance(registry, Registry) else None
        while node is not None:
            parts += node.module_dict.values()
            node = node.parent
    for part in parts:
        for cls in getattr(part, '__mro__', (part,)):
            if cls.__name__ == class_name:
                return _accepted(cls)
    return set()


def _accepted(part: Any) -> set[str]:
    """Names of a function's arguments, or a class's with those that go to its bases as kwargs."""
    names: set[str] = set()
    for cls in getattr(part, '__mro__', (part,)):
        if isinstance(part, type) and not inspect.isfunction(vars(cls).get('__init__')):
            continue
        parameters = inspect.signature(cls).parameters.values()
        names |= {p.name for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return names
