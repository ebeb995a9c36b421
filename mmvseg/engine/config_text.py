"""The config that a checkpoint notes, read as data.

The text is that of a program, and a checkpoint may come from anybody. So nothing of it runs: values
are read from the syntax tree, only what a model and its test pipeline need is kept, and the types
in it must be some that are known to be harmless, since a registry imports and calls whatever it is
asked for.
"""

import ast
import math
from collections.abc import Iterator
from typing import Any

from mmengine.config import Config
from mmengine.registry import Registry

import mmvseg.registry as registries
from mmvseg.errors import UserError

from .config_sections import check_sections, require

#: Sections that a model needs to take videos.
_KEPT = ('model', 'test_dataloader', 'test_cfg')
_SCOPES = ('mmvseg', 'mmdet', 'mmengine')
#: Parts of other packages in our models. All that those register would be too much: some parts of
#: MMDetection read further configs and checkpoints, which may run code.
_OTHERS = frozenset(
    {
        *('ResNet', 'SwinTransformer', 'PyramidVisionTransformerV2', 'FPN', 'RoIAlign'),
        *('EmbeddingRPNHead', 'DynamicConv', 'DeltaXYWHBBoxCoder', 'MSDeformAttnPixelDecoder'),
        *('FocalLoss', 'L1Loss', 'GIoULoss', 'DiceLoss', 'CrossEntropyLoss'),
        *('FocalLossCost', 'BBoxL1Cost', 'IoUCost'),
        *('BN', 'SyncBN', 'LN', 'GN', 'ReLU', 'GELU', 'deconv'),
    }
)
_MAX_CHARACTERS = 2_000_000
_NUMBERS = dict(inf=math.inf, nan=math.nan)
_ADVICE = 'give the config of its model, too'


class _NotPlainError(Exception):
    """A value that is no plain one."""


def config_of_text(text: str, source: str) -> Config:
    """The model and the test data of a config, from its text.

    Args:
        text: as a checkpoint has it in ``meta.cfg``.
        source: the checkpoint, for messages.

    Raises:
        UserError: it holds more than plain values, or types that are not known here.
    """
    where = f'checkpoint {source}: its config (meta.cfg)'
    values = dict(_assignments(text, where))
    for key, part in _sections(values, ''):
        _check_type(key, part, where)
    config = Config(values, cfg_text=text, filename=source)
    check_sections(config)
    require(config, 'model', 'test_dataloader.dataset')
    return config


def _assignments(text: str, where: str) -> Iterator[tuple[str, Any]]:
    """The sections that are kept, with their values; nothing else is looked at."""
    try:
        if len(text) > _MAX_CHARACTERS:
            raise _NotPlainError(f'{len(text)} characters')
        for statement in ast.parse(text).body:
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if len(targets) == 1 and getattr(targets[0], 'id', None) in _KEPT:
                yield targets[0].id, _value(statement.value)
    except _NotPlainError as error:
        raise UserError(f'{where} is no plain data ({error}) and is not run; {_ADVICE}') from error
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise UserError(f'{where} cannot be read ({type(error).__name__}); {_ADVICE}') from error


def _value(node: ast.expr) -> Any:
    """The value of an expression of plain data."""
    match node:
        case ast.Constant(value=str() | int() | float() | None):
            return node.value
        case ast.List():
            return [_value(child) for child in node.elts]
        case ast.Tuple():
            return tuple(_value(child) for child in node.elts)
        case ast.Dict():
            if None not in node.keys:
                pairs = zip(node.keys, node.values, strict=True)
                return {_key(key): _value(value) for key, value in pairs}
        case ast.Call(func=ast.Name(id='dict'), args=[] | [ast.Dict()]):
            if all(keyword.arg for keyword in node.keywords):
                first = _value(node.args[0]) if node.args else {}
                return first | {keyword.arg: _value(keyword.value) for keyword in node.keywords}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = _value(operand)
            if isinstance(number, int | float):
                return -number
        case ast.Name(id='inf' | 'nan'):
            return _NUMBERS[node.id]
    raise _NotPlainError(f'line {node.lineno}: {ast.unparse(node)[:60]}')


def _key(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | int):
        return node.value
    raise _NotPlainError(f'line {node.lineno}: {ast.unparse(node)[:60]}')


def _sections(value: Any, key: str) -> Iterator[tuple[str, dict]]:
    """All dicts in a value, with their dotted keys."""
    if isinstance(value, dict):
        yield key, value
        named = value.items()
    else:
        named = enumerate(value) if isinstance(value, list | tuple) else ()
    for name, child in named:
        yield from _sections(child, f'{key}.{name}'.lstrip('.'))


def _check_type(key: str, section: dict, where: str) -> None:
    scope = section.get('_scope_')
    if scope not in (None, *_SCOPES):
        raise UserError(f'{where}: {key}._scope_ names the package {scope!r}; {_ADVICE}')
    kind = section.get('type')
    if kind is None:
        return
    scope, dot, name = kind.rpartition('.') if isinstance(kind, str) else ('?', '.', '')
    if (dot and scope not in _SCOPES) or not (name in _OTHERS or _is_own(name)):
        raise UserError(
            f'{where}: {key}.type is {kind!r}, which is not known here; it may be of a package '
            f'that its config imports: {_ADVICE}'
        )


def _is_own(name: str) -> bool:
    """Whether it is registered here: a part of this package, or of the user's own code."""
    for registry in vars(registries).values():
        if isinstance(registry, Registry) and registry.scope == 'mmvseg':
            registry.import_from_location()
            if name in registry.module_dict:
                return True
    return False
