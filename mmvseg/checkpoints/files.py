"""Checkpoint files that torch reads in its safe mode, written so that a crash loses nothing.

A file holds tensors and plain Python values only. mmengine's own checkpoints pickle objects (the
log history) and are refused by ``torch.load(weights_only=True)``; ours keep the same content as
lists and numbers.
"""

import json
import os
import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.files import whole_file

from .plain_pickle import (
    MalformedPickleError,
    RefusedPickleError,
    arrays_to_tensors,
    load_plain_pickle,
    numpy_in_torch_files,
)
from .plain_values import to_plain

#: Formats of :func:`save_checkpoint_file`.
WRITTEN_SUFFIXES = ('.pth', '.safetensors')
#: Key of a ``.safetensors`` file's metadata under which all but the weights is noted as JSON.
_SAFETENSORS_META = 'mmvseg'
_ZIP = b'PK'  # torch.save since torch 1.6
_BEFORE_ZIP = b'\x80\x02\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.'


def load_checkpoint_file(
    path: str | Path,
    allow_pickle: bool = False,
    map_location: str = 'cpu',
    mmap: bool = False,
) -> dict[str, Any]:
    """Read a file of ``torch.save``, a ``.safetensors`` file or a pickle of arrays in safe mode.

    Args:
        path: file name; ``~`` is expanded.
        allow_pickle: also accept a file of ``torch.save`` that needs unpickling. Unpickling can
            run any code that the file's author put into it.
        map_location: device for the tensors.
        mmap: leave the tensors on disk until they are read, where the format can; they must not be
            written to.

    Returns:
        The checkpoint; a ``.safetensors`` file as ``dict(state_dict=…, meta=…)``.

    Raises:
        UserError: the file is missing, is no checkpoint, is cut off, or needs unpickling.

    Example:
        >>> checkpoint = load_checkpoint_file('work_dirs/tevit_msgshift/iter_9200.pth')
        >>> sorted(checkpoint['state_dict'])[:1]
        ['backbone.layers.0.0.norm.bias']
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f'checkpoint {path}: no such file')
    if path.suffix == '.safetensors':
        return _load_safetensors(path, map_location)
    with open(path, 'rb') as file:
        start = file.read(len(_BEFORE_ZIP))
    try:
        if start.startswith((_ZIP, _BEFORE_ZIP)):
            checkpoint = _load_torch(path, allow_pickle, map_location, mmap and start[:2] == _ZIP)
        else:
            checkpoint = load_plain_pickle(path)
    except RefusedPickleError as error:
        raise UserError(
            f'checkpoint {path}: refused, since reading it could run code: it asks for {error}. '
            'Of a pickle only tensors, numpy arrays, numbers, strings and containers of them are '
            'read. Get the weights in another form, e.g. as .safetensors'
        ) from error
    except (
        *(pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, LookupError),
        *(AttributeError, TypeError, MemoryError, RecursionError),  # of what is no pickle
    ) as error:
        raise _unreadable(path, error) from error
    if not isinstance(checkpoint, Mapping):
        raise UserError(
            f'checkpoint {path}: holds a {type(checkpoint).__name__}, expected a dict of weights'
        )
    return dict(checkpoint)


def save_checkpoint_file(checkpoint: dict[str, Any], path: str | Path) -> None:
    """Write ``checkpoint`` as plain values, so that ``path`` is at any time absent or complete.

    Args:
        checkpoint: nested dicts, lists and tuples of tensors, numbers, strings and numpy values.
        path: the file; a complete older one of the same name is replaced at the very end. Of a
            ``.safetensors`` file, tensors are those of ``state_dict``; the rest becomes JSON, so
            that tuples come back as lists.

    Raises:
        UserError: the disk is full or not writable.
        TypeError: a value has no plain form.
    """
    path = Path(path)
    plain = to_plain(checkpoint)
    write = _write_safetensors if path.suffix == '.safetensors' else _write_torch
    try:
        with whole_file(path, durable=True) as part:
            write(plain, part)
    except (OSError, RuntimeError, ValueError, safetensors.SafetensorError) as error:
        raise UserError(f'checkpoint {path}: cannot be written ({error})') from error


def _load_safetensors(path: Path, map_location: str) -> dict[str, Any]:
    try:
        with safetensors.safe_open(path, framework='pt', device=str(map_location)) as file:
            weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            meta = dict(file.metadata() or {})
    except (safetensors.SafetensorError, OSError) as error:
        raise _unreadable(path, error) from error
    if _SAFETENSORS_META not in meta:
        return dict(state_dict=weights, meta=meta)
    try:
        rest = json.loads(meta[_SAFETENSORS_META])
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, error) from error
    if not isinstance(rest, dict):
        raise _unreadable(path, TypeError(f'its notes are a {type(rest).__name__}, not a dict'))
    return dict(rest, state_dict=weights)


def _write_torch(checkpoint: dict[str, Any], path: Path) -> None:
    with open(path, 'wb') as file:
        torch.save(checkpoint, file)


def _write_safetensors(checkpoint: dict[str, Any], path: Path) -> None:
    try:
        rest = json.dumps({k: value for k, value in checkpoint.items() if k != 'state_dict'})
    except TypeError as error:
        raise ValueError(f'all but the weights must be JSON: {error}') from error
    weights, storages = {}, set()
    for name, tensor in checkpoint['state_dict'].items():
        shares = tensor.untyped_storage().data_ptr() in storages  # which the format has no way for
        weights[name] = tensor.clone() if shares else tensor.contiguous()
        storages.add(tensor.untyped_storage().data_ptr())
    # one entry alone: safetensors writes several in a random order
    save_file(weights, path, metadata={_SAFETENSORS_META: rest})
    path.chmod(0o666 & ~_umask())  # it makes files that only their owner can read


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _load_torch(path: Path, allow_pickle: bool, map_location: str, mmap: bool) -> Any:
    try:
        with numpy_in_torch_files():
            checkpoint = torch.load(path, map_location=map_location, weights_only=True, mmap=mmap)
        if mmap:
            _check_records(path, checkpoint)
        return arrays_to_tensors(checkpoint)
    except pickle.UnpicklingError as error:
        if allow_pickle:
            return torch.load(path, map_location=map_location, weights_only=False)
        if isinstance(error, MalformedPickleError):
            raise
        raise UserError(
            f'checkpoint {path}: loading it means unpickling Python objects, which can run any '
            f'code its author put in. {_unsafe_global(error)}'
            'Checkpoints of mmengine and of older toolboxes are of this kind. If you trust its '
            'origin, the tools that train and test take --allow-pickle (in a config: '
            'allow_pickle = True).'
        ) from error


def _check_records(path: Path, checkpoint: Any) -> None:
    """Without this, a mapped tensor whose values are cut off reads on in the file behind them."""
    with zipfile.ZipFile(path) as archive:
        held = sum(entry.file_size for entry in archive.infolist() if '/data/' in entry.filename)
    storages = [tensor.untyped_storage() for tensor in _tensors(checkpoint, set())]
    needed = sum({storage.data_ptr(): storage.nbytes() for storage in storages}.values())
    if needed > held:
        raise MalformedPickleError(f'tensors of {needed} bytes in {held} bytes')


def _tensors(value: Any, seen: set[int]) -> Iterator[Tensor]:
    """All tensors in a container; what it holds many times is looked into once."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict | list | tuple) and id(value) not in seen:
        seen.add(id(value))
        for item in value.values() if isinstance(value, dict) else value:
            yield from _tensors(item, seen)


def _unsafe_global(error: Exception) -> str:
    """The object that the safe mode stumbled over, if torch's message names it."""
    match = re.search(r'GLOBAL (\S+)', str(error))
    return f'It asks for {match[1]}. ' if match else ''


def _unreadable(path: Path, error: Exception) -> UserError:
    reason = str(error).strip().split('\n')[0].split('. ')[0][:200]
    return UserError(
        f'checkpoint {path}: cannot be read; it is cut off or not a checkpoint ({reason})'
    )
