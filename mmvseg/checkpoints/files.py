"""Checkpoint files that torch reads in its safe mode, written so that a crash loses nothing.

A file holds tensors and plain Python values only. mmengine's own checkpoints pickle objects (the
log history) and are refused by ``torch.load(weights_only=True)``; ours keep the same content as
lists and numbers.
"""

import json
import os
import pickle
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import save_file

from mmvseg.errors import UserError
from mmvseg.files import user_path, whole_file

from .class_notes import check_class_notes
from .digests import digits_of, file_digest
from .pickle_errors import (
    ChangedBytesError,
    CompressedFileError,
    MalformedPickleError,
    RefusedPickleError,
)
from .plain_pickle import SERIAL_FILE, load_plain_pickle, load_serial_file
from .plain_values import to_plain
from .torch_zip import load_zip

#: Formats of :func:`save_checkpoint_file`.
WRITTEN_SUFFIXES = ('.pth', '.safetensors')
#: Key of a ``.safetensors`` file's metadata under which all but the weights is noted as JSON.
_SAFETENSORS_META = 'mmvseg'
_ZIP = b'PK'  # torch.save since torch 1.6


class DamagedCheckpointError(UserError):
    """A checkpoint is none, is cut off, or holds other bytes than were written."""


def load_checkpoint_file(
    path: str | Path, allow_pickle: bool = False, mmap: bool = False
) -> dict[str, Any]:
    """Read a file of ``torch.save``, a ``.safetensors`` file or a pickle of arrays in safe mode.

    Args:
        path: file name; ``~`` is expanded.
        allow_pickle: also accept a file of ``torch.save`` that needs unpickling. Unpickling can
            run any code that the file's author put into it.
        mmap: leave the tensors on disk until they are read, where the format can; they must not be
            written to.

    Returns:
        The checkpoint, with tensors on the CPU; a ``.safetensors`` file as
        ``dict(state_dict=…, meta=…)``.

    Raises:
        DamagedCheckpointError: the file is no checkpoint, is cut off or holds other bytes than were
            written.
        UserError: it is missing or compressed, needs unpickling, or notes its classes in a form
            that nobody can read.

    Example:
        >>> from mmvseg.examples import CHECKPOINT
        >>> checkpoint = load_checkpoint_file(CHECKPOINT)
        >>> sorted(checkpoint), len(checkpoint['state_dict'])
        (['meta', 'state_dict'], 298)
    """
    path = user_path(path)
    if not path.is_file():
        raise UserError(f'checkpoint {path}: no such file')
    try:
        checkpoint = _read(path, allow_pickle, mmap)
    except RefusedPickleError as error:
        raise UserError(
            f'checkpoint {path}: refused, since reading it could run code: it asks for {error}. '
            'Of a pickle only tensors, numpy arrays, numbers, strings and containers of them are '
            'read. Get the weights in another form, e.g. as .safetensors'
        ) from error
    except CompressedFileError as error:
        raise UserError(
            f'checkpoint {path}: its record {error} is compressed, which those of torch.save never '
            'are: the file was packed anew. Get the original, or unpack it and pack it without '
            'compression (zip -0)'
        ) from error
    except ChangedBytesError as error:
        raise DamagedCheckpointError(
            f'checkpoint {path}: is damaged: its record {error} holds other bytes than were '
            'written. Get it again'
        ) from error
    except (
        *(pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError, LookupError),
        *(AttributeError, TypeError, MemoryError, RecursionError),  # of what is no pickle
        *(ArithmeticError, AssertionError, ImportError, struct.error),
        *(zipfile.BadZipFile, safetensors.SafetensorError),
    ) as error:
        raise _unreadable(path, error) from error
    if not isinstance(checkpoint, Mapping):
        raise DamagedCheckpointError(
            f'checkpoint {path}: holds a {type(checkpoint).__name__}, expected a dict of weights'
        )
    _check_name(path)
    check_class_notes(checkpoint, str(path))
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
        reason = getattr(error, 'strerror', None) or error
        raise UserError(f'checkpoint {path}: cannot be written ({reason})') from error


def _read(path: Path, allow_pickle: bool, mmap: bool) -> Any:
    if path.suffix == '.safetensors':
        return _read_safetensors(path)
    with open(path, 'rb') as file:
        start = file.read(len(SERIAL_FILE))
    if not start.startswith((_ZIP, SERIAL_FILE)):
        return load_plain_pickle(path)
    try:
        return load_zip(path, mmap) if start.startswith(_ZIP) else load_serial_file(path)
    except RefusedPickleError as error:
        if allow_pickle:
            return torch.load(path, map_location='cpu', weights_only=False)
        raise UserError(
            f'checkpoint {path}: loading it means unpickling Python objects, which can run any '
            f'code its author put in. It asks for {error}. '
            'Checkpoints of mmengine and of older toolboxes are of this kind. If you trust its '
            'origin, the tools that train and test take --allow-pickle (in a config: '
            'allow_pickle = True).'
        ) from error


def _read_safetensors(path: Path) -> dict[str, Any]:
    with safetensors.safe_open(path, framework='pt', device='cpu') as file:
        weights = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        meta = dict(file.metadata() or {})
    if _SAFETENSORS_META not in meta:
        return dict(state_dict=weights, meta=meta)
    rest = json.loads(meta[_SAFETENSORS_META])
    if not isinstance(rest, dict):
        raise MalformedPickleError(f'its notes are a {type(rest).__name__}, not a dict')
    return dict(rest, state_dict=weights)


def _check_name(path: Path) -> None:
    digits = digits_of(path.name)
    if digits is None:
        return
    digest = file_digest(path)
    if not digest.startswith(digits):
        raise DamagedCheckpointError(
            f'checkpoint {path}: is not what its name says: its SHA-256 begins with '
            f'{digest[: len(digits)]}, not with {digits}. Get it again; if the digits mean '
            'something else, rename it'
        )


def _write_torch(checkpoint: dict[str, Any], path: Path) -> None:
    with open(path, 'wb') as file:
        try:
            torch.save(checkpoint, file)
        except RuntimeError as error:  # of the archive's end, which hides what went wrong before
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def _write_safetensors(checkpoint: dict[str, Any], path: Path) -> None:
    try:
        rest = json.dumps({k: value for k, value in checkpoint.items() if k != 'state_dict'})
    except TypeError as error:
        raise ValueError(f'all but the weights must be JSON: {error}') from error
    weights, storages = {}, set()
    for name, tensor in checkpoint['state_dict'].items():
        tensor = tensor.contiguous()
        shares = tensor.untyped_storage().data_ptr() in storages  # which the format has no way for
        weights[name] = tensor.clone() if shares else tensor
        storages.add(tensor.untyped_storage().data_ptr())
    # one entry alone: safetensors writes several in a random order
    save_file(weights, path, metadata={_SAFETENSORS_META: rest})
    path.chmod(0o666 & ~_umask())  # it makes files that only their owner can read


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _unreadable(path: Path, error: Exception) -> DamagedCheckpointError:
    reason = str(error).strip().split('\n')[0].split('. ')[0][:200]
    return DamagedCheckpointError(
        f'checkpoint {path}: cannot be read; it is cut off or not a checkpoint ({reason})'
    )
