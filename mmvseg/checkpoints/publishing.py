"""Making a file for others out of a training checkpoint: weights and what their users need."""

import ast
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PureWindowsPath
from typing import Any

import torch
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.files import check_writable, file_errors, file_hash, user_path

from .conversion_note import note_of
from .files import WRITTEN_SUFFIXES, load_checkpoint_file, save_checkpoint_file
from .plain_values import plain_items
from .weights import non_finite, weights_of

#: What a file for others keeps of ``meta``, besides versions: ``dataset_meta`` names the classes,
#: ``conversion`` the file that weights were converted from, ``license`` what others may do.
_KEPT_META = ('cfg', 'dataset_meta', 'epoch', 'iter', 'seed', 'conversion', 'license')
#: Settings of a config that only concern the run that it was.
_RUN_SETTINGS = (
    'work_dir',
    'load_from',
    'load_parts',
    'log_to',
    'resume',
    'launcher',
    'experiment_name',
)
_ABSOLUTE = re.compile(r'(/|~[/\\]|[A-Za-z]:[\\/]|\\\\)[^/\\]')


def publish_checkpoint(
    source: str | Path,
    target: str | Path,
    allow_pickle: bool = False,
    half: bool = False,
    license: str | None = None,
) -> tuple[Path, list[str]]:
    """Write the weights of a training checkpoint to a file whose name tells its content.

    The same input gives the same file, byte by byte. The weights are not held in memory if the
    source allows it.

    Args:
        source: a checkpoint with ``state_dict``.
        target: ``FOLDER/NAME.pth`` or ``.safetensors``; the file becomes
            ``FOLDER/NAME-1a2b3c4d.pth``, with the first digits of its SHA-256.
        allow_pickle: see :func:`load_checkpoint_file`.
        half: write weights of float32 as float16, half the size; a model that is filled with them
            computes in float32 as before, with weights rounded to 11 bits.
        license: noted in ``meta.license``.

    Returns:
        The file, and a line for each thing that was left out or changed.

    Raises:
        UserError: the source is no checkpoint or may not be read, the target has another suffix
            or cannot be written.

    Example:
        >>> from mmvseg.examples import CHECKPOINT
        >>> path, notes = publish_checkpoint(CHECKPOINT, 'minvis.pth')
        >>> path.name  # with the first digits of its SHA-256
        'minvis-....pth'
    """
    source, target = user_path(source), user_path(target)
    if target.suffix not in WRITTEN_SUFFIXES:
        raise UserError(f'{target}: the name must end in {" or ".join(WRITTEN_SUFFIXES)}')
    check_writable(target)
    checkpoint = load_checkpoint_file(source, allow_pickle, mmap=True)
    published, notes = strip_checkpoint(checkpoint, str(source))
    if half:
        published['state_dict'] = _in_half(published['state_dict'], str(source))
    if license is not None:
        published['meta']['license'] = license
    unnamed = target.with_name(f'.{target.stem}.unnamed{target.suffix}')
    try:
        save_checkpoint_file(published, unnamed)
        with file_errors(target):
            path = target.with_stem(f'{target.stem}-{file_hash(unnamed)[:8]}')
            os.replace(unnamed, path)
    finally:
        unnamed.unlink(missing_ok=True)
    return path, notes


def strip_checkpoint(
    checkpoint: Mapping[str, Any], source: str
) -> tuple[dict[str, Any], list[str]]:
    """The weights and what their users need.

    Args:
        checkpoint: with ``state_dict`` and, if it tells where it comes from, ``meta``.
        source: its name, for messages.

    Returns:
        ``dict(meta=…, state_dict=…)``, and a line for each thing that was left out or changed.

    Raises:
        UserError: there is no ``state_dict``.
    """
    if not isinstance(checkpoint.get('state_dict'), Mapping):
        found = ', '.join(map(str, list(checkpoint)[:5])) or 'nothing'
        raise UserError(
            f'checkpoint {source}: has no state_dict (found: {found}), so it is none of this '
            'toolbox; mmvseg convert makes one of the published models'
        )
    weights = weights_of(checkpoint, source)
    meta = checkpoint.get('meta')
    meta = meta if isinstance(meta, Mapping) else {}
    kept = plain_items({key: meta[key] for key in sorted(map(str, meta)) if _is_kept(key)})
    notes = [f'left out: {key}' for key in checkpoint if key not in ('state_dict', 'meta')]
    notes += [f'left out: meta.{key}' for key in meta if key not in kept]
    if len(weights) < len(checkpoint['state_dict']):
        notes.append('left out: what is no tensor in state_dict')
    if (note := note_of(checkpoint, source)) and note.left_to_training:
        notes.append(
            f'incomplete: converted as a start for training, without {note.left_to_training}'
        )
    for key in ('cfg', 'dataset_meta'):
        if not kept.get(key):
            notes.append(f'missing: the checkpoint has no meta.{key}')
    if isinstance(kept.get('cfg'), str):
        kept['cfg'], changes = clean_config(kept['cfg'])
        notes += [f'meta.cfg: {change}' for change in changes]
    return dict(meta=kept, state_dict=weights), notes + non_finite(weights)


def _in_half(weights: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Weights with those of float32 as float16.

    Raises:
        UserError: one is too large for float16.
    """
    limit = torch.finfo(torch.float16).max
    halved = {}
    for name, value in weights.items():
        if value.dtype == torch.float32:
            if value.isfinite().all() and (value.abs() > limit).any():
                raise UserError(f'checkpoint {source}: {name} holds values beyond float16')
            value = value.half()
        halved[name] = value
    return halved


def _is_kept(key: str) -> bool:
    return key in _KEPT_META or key.endswith('_version')


def clean_config(text: str) -> tuple[str, list[str]]:
    """Remove from a config's text what belongs to the machine and run that it comes from.

    The settings of the run go, and of absolute paths only the last name stays. The text is never
    run, since that would run whatever a checkpoint brings.

    Args:
        text: Python with a setting a statement.

    Returns:
        The text and a line for each change.

    Example:
        >>> clean_config("work_dir = 'runs'\\ndata_root = '/home/me/ovis'\\n")
        ("data_root = 'ovis'\\n", ['work_dir left out', "'/home/me/ovis' is now 'ovis'"])
    """
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return text, ['is not Python; kept as it is, local paths included']
    source, changes, edits = text.encode(), [], []
    for start, end, replacement, change in _edits(tree, source):
        edits.append((start, end, replacement))
        if change not in changes:
            changes.append(change)
    for start, end, replacement in reversed(edits):
        source = source[:start] + replacement.encode() + source[end:]
    return source.decode(), changes


def _edits(tree: ast.Module, source: bytes) -> Iterator[tuple[int, int, str, str]]:
    """Start, end, replacement and description of what to change, in order."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    for statement in tree.body:
        names = [getattr(t, 'id', None) for t in getattr(statement, 'targets', [])]
        if names and names[0] in _RUN_SETTINGS:
            start, end = starts[statement.lineno - 1], starts[statement.end_lineno]
            yield start, end, '', f'{names[0]} left out'
            continue
        strings = [node for node in ast.walk(statement) if _is_local_path(node)]
        for node in sorted(strings, key=lambda node: (node.lineno, node.col_offset)):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            short = PureWindowsPath(node.value).name  # knows both kinds of slashes
            yield start, end, repr(short), f'{node.value!r} is now {short!r}'


def _is_local_path(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and _ABSOLUTE.match(node.value) is not None
    )
