"""Conversion of a checkpoint from file to file."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from mmvseg import __version__
from mmvseg.engine.checkpoint import load_checkpoint_file, plain_items, save_checkpoint_file
from mmvseg.engine.weights import weights_of
from mmvseg.errors import UserError
from mmvseg.progress import ProgressReport

from .configs import Target, find_targets, fit_to_target, read_target
from .fit import Fit
from .layouts import BACKBONES, MMVSEG, SOURCES, Layout, recognise
from .translate import Converted, to_ours, to_theirs

OUT_SUFFIXES = ('.pth', '.safetensors')
_CHUNK = 2**22


def convert_file(
    path: Path, out: Path, source: str = 'auto', config: Path | None = None
) -> list[str]:
    """Make a published checkpoint one of this package.

    Args:
        path: the published file.
        out: ``.pth`` or ``.safetensors``.
        source: one of :data:`mmvseg.converters.layouts.SOURCES`, or ``auto``: told by the names.
        config: whose model it is for; None: the one that it fits exactly.

    Returns:
        What was done, in lines for the user.

    Raises:
        UserError: the file is unusable or unsafe, its names are not known, or it does not fit.
    """
    _check_paths(path, out)
    sha256 = file_hash(path)
    print('reading…', flush=True)
    checkpoint = load_checkpoint_file(path, mmap=True)
    weights = weights_of(checkpoint, str(path))
    layout = _recognise(weights, source, path)
    source = _source_of(layout, source)
    converted = to_ours(weights, layout)
    targets = [read_target(config)] if config else _find_targets(converted, source, path)
    fit = fit_to_target(converted, targets[0], source, str(path))
    lines = _describe(converted, targets, fit, len(weights))
    meta = _meta(checkpoint, converted, targets, fit, source)
    meta['conversion'].update(source=path.name, sha256=sha256, converter=f'mmvseg {__version__}')
    _save(dict(meta=meta, state_dict=converted.weights), out)
    return [*lines, f'wrote {out}']


def restore_file(
    path: Path, out: Path, source: str = 'auto', config: Path | None = None
) -> list[str]:
    """Write a checkpoint of this package with the names of the published code.

    Args:
        path: trained here, or converted.
        out: ``.pth`` or ``.safetensors``.
        source: whose names; ``auto``: told by ours, or those that it was converted from.
        config: whose model the checkpoint must fill; None: not checked.

    Returns:
        What was done, in lines for the user.

    Raises:
        UserError: the file is unusable, or belongs to no published model.
    """
    _check_paths(path, out)
    checkpoint = load_checkpoint_file(path, mmap=True)
    weights = weights_of(checkpoint, str(path))
    layout = recognise(weights)
    if layout and not layout.has_our_names:
        raise UserError(f'{path}: has its published names already ({layout.name})')
    if config:
        fit_to_target(Converted(MMVSEG, dict(weights)), read_target(config), source, str(path))
    note = _meta_of(checkpoint).get('conversion')
    try:
        published, layout = to_theirs(weights, note, source)
    except UserError as error:
        raise UserError(f'{path}: {error}') from error
    if out.suffix == '.safetensors':
        _save(dict(meta={}, state_dict=published), out)
    else:
        _save({layout.wrapper: published} if layout.wrapper else published, out)
    return [f'{len(published)} tensors by the names of {layout.name}', f'wrote {out}']


def file_hash(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    size_mb = path.stat().st_size / 1e6
    with open(path, 'rb') as file, ProgressReport('hashing', round(size_mb), 'MB') as progress:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            progress.advance(round(file.tell() / 1e6) - progress.done)
    return digest.hexdigest()


def _check_paths(path: Path, out: Path) -> None:
    if not path.is_file():
        raise UserError(f'checkpoint {path}: no such file')
    if out.suffix not in OUT_SUFFIXES:
        raise UserError(f'{out}: the result is written as {" or ".join(OUT_SUFFIXES)}')
    if out.exists() and out.samefile(path):
        raise UserError(f'{out}: is the input; give the result another name')


def _recognise(weights: Mapping[str, Tensor], source: str, path: Path) -> Layout:
    layout = recognise(weights, source)
    if layout is None:
        other = recognise(weights)
        hint = f'they look like {other.name}' if other else 'no known checkpoint has such names'
        kind = 'a known checkpoint' if source == 'auto' else f'a checkpoint of {source}'
        raise UserError(
            f'{path}: does not hold the names of {kind}, but e.g. '
            f'{", ".join(list(weights)[:4])}; {hint}'
        )
    return layout


def _source_of(layout: Layout, source: str) -> str:
    """The source, where names tell it: models of one layout differ in their configs alone."""
    backbones = [name for name in BACKBONES if layout in SOURCES[name]]
    return backbones[0] if source == 'auto' and backbones else source


def _find_targets(converted: Converted, source: str, path: Path) -> list[Target]:
    if converted.unknown:
        raise UserError(
            f'{path}: {len(converted.unknown)} tensors are not those of {converted.layout.name}: '
            f'{", ".join(list(converted.unknown)[:8])}'
        )
    print('looking for the config…', flush=True)
    targets = find_targets(converted, source)
    if not targets:
        raise UserError(
            f'{path}: fits the model of no config in configs/ exactly (layout '
            f'{converted.layout.name}, {len(converted.weights)} tensors); name the config of its '
            'model, or of the model that is to be trained from it, with --config'
        )
    return targets


def _describe(converted: Converted, targets: list[Target], fit: Fit, number: int) -> list[str]:
    lines = [f'{number} tensors with the names of {converted.layout.name}']
    if converted.unused:
        lines.append(f'not used by the model: {", ".join(_shortened(converted.unused))}')
    if fit.resized:
        lines.append(f'scaled to another window: {len(fit.resized)} tables of relative positions')
    if fit.class_heads:
        lines.append(
            'for another number of classes, initialised anew when training starts: '
            f'{", ".join(fit.class_heads)}'
        )
    if fit.absent:
        left = fit.left_to_training(converted.weights)
        lines.append(f'not in the file, left to training: {", ".join(left)}')
    if not (fit.class_heads or fit.absent):
        lines.append(
            f'all {len(converted.weights)} tensors of the model are filled, none left over'
        )
    lines.append(f'config: {", ".join(_shortened([target.name for target in targets]))}')
    if _classes(targets) is None and not (fit.absent or fit.class_heads):
        lines.append('class names are not noted, since these differ in them: give --config')
    return lines


def _shortened(names: list[str]) -> list[str]:
    return [*names[:4], f'… ({len(names)} in all)'] if len(names) > 5 else names


def _classes(targets: list[Target]) -> dict[str, Any] | None:
    """Classes of the data, if all configs agree on them."""
    first = targets[0].classes
    return first if all(target.classes == first for target in targets) else None


def _meta(
    checkpoint: Mapping, converted: Converted, targets: list[Target], fit: Fit, source: str
) -> dict[str, Any]:
    """Notes for the new file; those of a checkpoint of this package are kept."""
    old = _meta_of(checkpoint) if converted.layout.has_our_names else {}
    meta = {key: old[key] for key in ('cfg', 'dataset_meta', 'mmvseg_version') if key in old}
    classes = _classes(targets)
    if classes and source not in BACKBONES and not fit.class_heads:
        meta['dataset_meta'] = plain_items(classes)
    if len(targets) == 1:
        meta['cfg'] = targets[0].config.pretty_text
    note = converted.note()
    earlier = old.get('conversion')
    if isinstance(earlier, Mapping):
        note = {key: earlier.get(key, value) for key, value in note.items()}
    meta['conversion'] = dict(
        note,
        configs=[target.name for target in targets],
        left_to_training=fit.left_to_training(converted.weights),
    )
    return meta


def _meta_of(checkpoint: Mapping) -> Mapping:
    meta = checkpoint.get('meta')
    return meta if isinstance(meta, Mapping) else {}


def _save(checkpoint: dict[str, Any], out: Path) -> None:
    print(f'writing {out}…', flush=True)
    save_checkpoint_file(checkpoint, out)
