"""``--cfg-options``: what a text on the command line means, and setting it in a config."""

import argparse
import ast
import difflib
import math
import re
import sys
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

from mmengine.config import Config

from mmvseg.errors import UserError, say

from .config_sections import count_rule, describe, is_section_or_list, parts_of, short

#: Top-level keys that something reads after the config was read.
SECTIONS = {
    *('allow_missing', 'allow_pickle', 'auto_scale_lr', 'compile', 'custom_hooks', 'default_hooks'),
    *('default_scope', 'env_cfg', 'experiment_name', 'find_unused_parameters', 'launcher'),
    *('load_from', 'log_level', 'log_processor', 'model', 'model_wrapper_cfg', 'optim_wrapper'),
    *('param_scheduler', 'randomness', 'resume', 'runner_type', 'sync_bn', 'test_cfg'),
    *('test_dataloader', 'test_evaluator', 'train_cfg', 'train_dataloader', 'val_cfg'),
    *('val_dataloader', 'val_evaluator', 'visualizer', 'work_dir'),
}
#: Sections without a type, of which single keys are asked for, so that nobody misses other ones.
_ASKED = re.compile(r'(env_cfg(\..*)?|auto_scale_lr|optim_wrapper\.paramwise_cfg|model\..*_cfg)')
#: Last part of keys whose values are texts whatever they look like, such as paths with commas.
_TEXTS = {
    *('ann_file', 'checkpoint', 'data_root', 'experiment_name', 'img', 'load_from', 'mask'),
    *('mask_root', 'out_dir', 'version', 'work_dir'),
}
_NUMBER = re.compile(r'[+-]?(\d+(_\d+)*\.?\d*|\.\d+)(e[+-]?\d+)?', re.IGNORECASE | re.ASCII)
_BRACKETS = {'[': ']', '(': ')', '{': '}'}
_MAX_DEPTH = 20
_INT64 = range(-(2**63), 2**63)


class _Action(argparse.Action):
    """Collects ``KEY=VALUE`` in a dict."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: list[str],
        option_string: str | None = None,
    ) -> None:
        options = dict(getattr(namespace, self.dest) or {})
        for item in values:
            key, equals, text = item.partition('=')
            if not (equals and all(key.split('.'))):
                raise argparse.ArgumentError(self, f'{item!r} is not KEY=VALUE')
            try:
                options[key] = parse_value(key, text)
            except ValueError as error:
                raise argparse.ArgumentError(
                    self, f'{key}: {error}; write it into a config file'
                ) from None
        setattr(namespace, self.dest, options)


def add_cfg_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options`` to a tool."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=_Action,
        default={},
        metavar='KEY=VALUE',
        help='change config values, e.g. train_cfg.max_iters=100 model.backbone.with_cp=True',
    )


def parse_value(key: str, text: str) -> Any:
    """What a text means as the value of a key.

    Literals of Python are read as such, ``dict(a=1)`` among them. As in mmengine, ``true`` and
    ``false`` may be written small, ``1,2`` is a list, and words in lists need no quotes. All else,
    and whatever is given for a path or a name, is the text itself.

    Raises:
        ValueError: it begins like a list, tuple or dict, but is none; or a number is out of bounds.

    Example:
        >>> parse_value('clip_grad', "{'max_norm': 1.0}"), parse_value('scale', '[(640, 360)]')
        ({'max_norm': 1.0}, [(640, 360)])
        >>> parse_value('work_dir', 'runs/a, b')
        'runs/a, b'
    """
    if key.rsplit('.', 1)[-1] not in _TEXTS:
        return _parse(text, 0)
    if text == 'None':
        return None
    quoted = re.fullmatch(r'(["\'])([^"\'\\]*)\1', text)
    return quoted[2] if quoted else text


def _parse(text: str, depth: int) -> Any:
    bare = text.strip()
    known = {'true': True, 'false': False}.get(bare.lower(), _parse_number(bare))
    if known is not None or bare == 'None':
        return known
    if depth > _MAX_DEPTH:
        raise ValueError(f'lists within lists, more than {_MAX_DEPTH}')
    try:
        node = _expression(bare)
        value = _convert(node, bare, 0)
    except (SyntaxError, UnicodeError, RecursionError, MemoryError, _NoLiteralError):
        return _parse_words(text, bare, depth)
    if isinstance(value, str) and isinstance(node, ast.Constant) and value[:1] in ('[', '('):
        return _parse(value, depth + 1)  # in quotes that no shell took away
    if not isinstance(node, ast.Constant) and isinstance(value, str):
        return text
    is_bare = isinstance(node, ast.Tuple) and [e.col_offset for e in node.elts[:1]] == [0]
    return list(value) if is_bare else value


def _expression(text: str) -> ast.expr:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of code that looks like a mistake
        node = ast.parse(text, mode='eval').body
    if '#' in text and ast.get_source_segment(text, node) != text:
        raise SyntaxError('a comment would be lost')
    return node


def _parse_number(text: str) -> int | float | None:
    if text.lower().lstrip('+-') in ('inf', 'infinity', 'nan'):
        return float(text)
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return _bounded(int(text) if text.lstrip('+-').replace('_', '').isdigit() else float(text))
    except ValueError:
        raise ValueError(f'{short(text)} is no number that can be used') from None


def _bounded(number: int | float) -> int | float:
    """A number from digits; 64 bits are what tensors and other programs have for one."""
    if math.isinf(number) if isinstance(number, float) else number not in _INT64:
        raise ValueError(f'{short(str(number))} is no number that can be used')
    return number


class _NoLiteralError(Exception):
    """A part of an expression that is no literal, nor a word."""


def _convert(node: ast.expr, source: str, depth: int) -> Any:
    """The value of a literal; words in it become texts."""
    if depth > _MAX_DEPTH:
        raise ValueError(f'lists within lists, more than {_MAX_DEPTH}')

    def convert(child: ast.expr | None) -> Any:
        if child is None:  # of **kwargs
            raise _NoLiteralError
        return _convert(child, source, depth + 1)

    match node:
        case ast.Constant(value=bool() | str() | None as value):
            return value
        case ast.Constant(value=int() | float() as value):
            return _bounded(value)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=ast.Constant(value=int() | float())):
            return _bounded(ast.literal_eval(node))
        case ast.List(elts=items):
            return [convert(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(convert(item) for item in items)
        case ast.Dict(keys=keys, values=values):
            names = [convert(key) for key in keys]
            try:
                return dict(zip(names, map(convert, values), strict=True))
            except TypeError:  # a list as a name
                raise _NoLiteralError from None
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=items):
            if not all(item.arg for item in items):
                raise _NoLiteralError
            return {item.arg: convert(item.value) for item in items}
        case ast.Name(id=word) if word.lower() in ('true', 'false'):
            return word.lower() == 'true'
        case ast.Name() | ast.Attribute() | ast.BinOp():
            return ast.get_source_segment(source, node)
    raise _NoLiteralError


def _parse_words(text: str, bare: str, depth: int) -> Any:
    """A list of words that Python could not read, such as ``[/data/a,/data/b]``, or a text."""
    closing = _BRACKETS.get(bare[:1])
    if closing is None and not bare.startswith('dict('):
        if ',' not in bare or re.search(r'\s', bare):
            return text
        items = _split(bare)
        return text if items is None else [_parse(item, depth + 1) for item in items]
    items = None
    if bare[0] in '[(' and bare.endswith(closing):
        items = _split(bare[1:-1])
    if items is None:
        raise ValueError(f'{short(text)} begins like a list, tuple or dict, but is none')
    parsed = [_parse(item.strip(), depth + 1) for item in items]
    return tuple(parsed) if bare[0] == '(' else parsed


def _split(text: str) -> list[str] | None:
    """The parts between commas that no bracket encloses; None if brackets do not fit."""
    parts, open_brackets = [''], []
    for character in text:
        if character == ',' and not open_brackets:
            parts.append('')
            continue
        parts[-1] += character
        if character in _BRACKETS:
            open_brackets.append(_BRACKETS[character])
        elif character in _BRACKETS.values() and (
            not open_brackets or open_brackets.pop() != character
        ):
            return None
    if open_brackets:
        return None
    return parts if parts[-1].strip() else parts[:-1]


def apply_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Set values of a config by dotted key, in place.

    Raises:
        UserError: a key names nothing, leads through a value that is no section, or was used
            already when the config was read; or a value is of another type than what is there.
    """
    values = dict(options)
    for key, value in options.items():
        _check_key(cfg, key)
        now = _check_value(cfg, key, value)
        if isinstance(value, Mapping) and not isinstance(now, Mapping):
            values[key] = dict(value, _delete_=True)  # mmengine merges sections with sections only
    try:
        cfg.merge_from_dict(values)
    except (AttributeError, KeyError, TypeError, IndexError) as error:
        raise UserError(f'--cfg-options {" ".join(options)}: {error}') from error


def _check_key(cfg: Config, key: str) -> None:
    section = key.split('.')[0]
    if section in SECTIONS:
        return
    if section not in cfg:
        raise UserError(
            f'--cfg-options {key}: no such key{suggest(section, SECTIONS | set(cfg.keys()))}'
        )
    places = [] if cfg[section] in (None, '') else _places_of(cfg, cfg[section])
    where = f'; its value stands in {", ".join(places[:8])}: change that' if places else ''
    raise UserError(
        f'--cfg-options {key}: nothing reads {section} any more: the config has used it while it '
        f'was read{where}'
    )


def _places_of(cfg: Config, value: Any) -> list[str]:
    """Keys that hold a value, or a path in a folder that it is."""
    return [
        where
        for key in sorted(SECTIONS & set(cfg.keys()))
        for where, part in parts_of(cfg[key], key)
        if type(part) is type(value)
        and (part == value or (isinstance(value, str) and part.startswith(value)))
    ]


def _check_value(cfg: Config, key: str, value: Any) -> Any:
    """Walk to what is there now, and compare its type with that of the new value.

    Returns:
        What is there; an empty section if nothing is.
    """
    now: Any = cfg._cfg_dict
    path: list[str] = []
    for part in key.split('.'):
        where = '.'.join(path)
        if isinstance(now, Mapping):
            if part not in now:
                if _ASKED.fullmatch(where):
                    _warn_of_new_key(key, where, now)
                return {}
            now = now[part]
        elif isinstance(now, list | tuple):
            if not part.isdecimal() or int(part) >= len(now):
                last = f'0 to {len(now) - 1}' if now else 'it is empty'
                raise UserError(
                    f'--cfg-options {key}: {where} is a list of {len(now)}, and {part} no place in '
                    f'it ({last})'
                )
            now = now[int(part)]
        else:
            raise UserError(f'--cfg-options {key}: {where} is {describe(now)}, which has no {part}')
        path.append(part)
    rule = count_rule(key, value)
    if rule or not _fits(now, value, path[-1]):
        raise UserError(
            f'--cfg-options {key}: is {describe(now)} now, which {describe(value)} cannot replace'
            f'{rule and f": {rule}"}'
        )
    return now


def _warn_of_new_key(key: str, where: str, section: Mapping[str, Any]) -> None:
    has = ', '.join(map(str, section)) or 'nothing'
    say(
        f'--cfg-options {key}: the config has no such key, and perhaps nothing reads it; {where} '
        f'has {has}',
        sys.stderr,
    )


def _fits(now: Any, value: Any, name: str) -> bool:
    """Whether a value is of a kind that may stand in the place of another."""
    if now is None or value is None:
        return True
    if isinstance(now, Mapping):
        return is_section_or_list(value)
    if isinstance(now, list | tuple):
        # of lists with one kind of entry, a single one is often taken, too
        return isinstance(value, list | tuple) or any(
            _fits(entry, value, name) and isinstance(entry, str | Mapping) for entry in now
        )
    if isinstance(value, Mapping):
        return False
    if isinstance(now, bool):
        return isinstance(value, bool) or value in (0, 1)
    if isinstance(now, int | float):
        numbers = value if isinstance(value, list | tuple) else [value]
        kinds = (int, float)
        return all(type(n) in kinds and (type(n) is type(now) or math.isfinite(n)) for n in numbers)
    return isinstance(value, str | type) or name != 'type'


def suggest(name: str, candidates: Iterable[str]) -> str:
    """Which of the candidates may have been meant, to end a message with."""
    by_lower = {candidate.lower(): candidate for candidate in sorted(candidates)}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if not close:
        return ''
    return '; did you mean ' + ' or '.join(by_lower[match] for match in close) + '?'
