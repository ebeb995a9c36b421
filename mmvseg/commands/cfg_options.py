"""``--cfg-options KEY=VALUE``: what a text on the command line means."""

import argparse
import ast
import math
import re
import warnings
from typing import Any

from mmvseg.errors import short

#: Last part of keys whose values are texts whatever they look like, such as paths with commas.
_TEXTS = {
    *('ann_file', 'checkpoint', 'data_root', 'experiment_name', 'img', 'load_from', 'mask'),
    *('all_frames', 'mask_root', 'out_dir', 'version', 'work_dir'),
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
