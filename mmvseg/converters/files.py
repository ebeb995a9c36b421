"""Conversion of a checkpoint from file to file."""

import math
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from torch import Tensor

from mmvseg import __version__
from mmvseg.checkpoints.conversion_note import ConversionNote, note_of
from mmvseg.checkpoints.files import WRITTEN_SUFFIXES, load_checkpoint_file, save_checkpoint_file
from mmvseg.checkpoints.plain_values import plain_items
from mmvseg.checkpoints.published.layouts import (
    BACKBONES,
    MMVSEG,
    SOURCES,
    Layout,
    recognise,
    sources_of,
)
from mmvseg.checkpoints.weights import non_finite, weights_of
from mmvseg.engine.categories import check_classes
from mmvseg.errors import UserError, counted, say
from mmvseg.files import check_writable, file_hash, user_path
from mmvseg.progress import ProgressReport

from .configs import FOLDERS, Target, find_targets, fit_to_target, read_target
from .encoders import add_encoder, read_base, take_encoder_off
from .fit import Fit, refuse_start
from .report import describe_conversion
from .translate import Converted, layout_for_ours, to_ours, to_theirs


def convert_file(
    path: Path,
    out: Path,
    source: str = 'auto',
    config: Path | None = None,
    *,
    base: Path | None = None,
    complete: bool = False,
    terms: str = '',
) -> list[str]:
    """Make a published checkpoint one of this package.

    Args:
        path: the published file.
        out: ``.pth`` or ``.safetensors``.
        source: one of :data:`mmvseg.checkpoints.published.layouts.SOURCES`, or
            ``auto``: told by the names.
        config: whose model it is for; None: the one that it fits exactly.
        base: weights of DINOv3, of a file whose encoder is none without them.
        complete: refuse what is only a start for training.
        terms: licence of the weights, to be noted.

    Returns:
        What was done, in lines for the user.

    Raises:
        UserError: the file is unusable or unsafe, its names are not known, or it does not fit.
    """
    path, out = _check_paths(path, out)
    target = read_target(config) if config else None
    sha256 = _hash_with_progress(path)
    checkpoint = _read(path)
    weights = weights_of(checkpoint, str(path))
    layout = _recognise(weights, source, path)
    source = _source_of(layout, source)
    converted = to_ours(weights, layout)
    encoder = read_base(base) if base else None
    with _named(path):
        about_encoder = add_encoder(converted, encoder)
    targets = [target] if target else _find_targets(converted, source, path)
    fit = fit_to_target(converted, targets[0], source, str(path))
    if complete:
        refuse_start(fit, f'{path} and {targets[0].name}', converted.weights)
    meta = _meta(checkpoint, path, converted, targets, fit)
    note = _note(converted, targets, fit)
    if earlier := note_of(checkpoint, str(path)):
        note = replace(earlier, configs=note.configs, left_to_training=note.left_to_training)
    else:
        converter = f'mmvseg {__version__}'
        note = replace(note, source=path.name, sha256=sha256, converter=converter)
    if encoder:
        note = replace(note, base=encoder.name, base_sha256=encoder.sha256)
    licences = dict.fromkeys([terms or note.license, layout.terms])
    note = replace(note, license='; '.join(filter(None, licences)))
    meta['conversion'] = note.plain()
    _save(dict(meta=meta, state_dict=converted.weights), out)
    lines = describe_conversion(converted, targets, fit, len(weights), 'dataset_meta' in meta)
    return [*about_encoder, *lines, *non_finite(converted.weights), f'wrote {out}']


def restore_file(
    path: Path,
    out: Path,
    source: str = 'auto',
    config: Path | None = None,
    *,
    base: Path | None = None,
) -> list[str]:
    """Write a checkpoint of this package with the names of the published code.

    Args:
        path: trained here, or converted.
        out: ``.pth`` or ``.safetensors``.
        source: whose names; ``auto``: told by ours, or those that it was converted from.
        config: whose model the checkpoint must fill; None: not checked.
        base: weights of DINOv3, where the published files hold differences to them.

    Returns:
        What was done, in lines for the user.

    Raises:
        UserError: the file is unusable, or belongs to no published model.
    """
    path, out = _check_paths(path, out)
    target = read_target(config) if config else None
    checkpoint = _read(path)
    weights = weights_of(checkpoint, str(path))
    layout = recognise(weights)
    if layout and not layout.has_our_names:
        raise UserError(f'{path}: has its published names already, {sources_of(layout)}')
    if target:
        fit_to_target(Converted(MMVSEG, dict(weights)), target, source, str(path))
    note = note_of(checkpoint, str(path))
    encoder = read_base(base) if base else None
    with _named(path):
        layout = layout_for_ours(weights, note, source)
        published, layout = to_theirs(take_encoder_off(weights, layout, encoder), note, source)
    if out.suffix == '.safetensors':
        _save(dict(meta={}, state_dict=published), out)
    else:
        _save({layout.wrapper: published} if layout.wrapper else published, out)
    lines = [f'{counted(len(published), "tensors")} with the names of {sources_of(layout)}']
    if note and note.left_to_training:
        lines.append(f'incomplete, as a start for training: without {note.left_to_training}')
    return [*lines, *non_finite(published), f'wrote {out}']


@contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise UserError(f'{path}: {error}') from error


def _check_paths(path: Path, out: Path) -> tuple[Path, Path]:
    path, out = user_path(path), user_path(out)
    if not path.is_file():
        reason = 'is a folder; name the file in it' if path.is_dir() else 'no such file'
        raise UserError(f'checkpoint {path}: {reason}')
    if out.suffix not in WRITTEN_SUFFIXES:
        raise UserError(f'{out}: the result is written as {" or ".join(WRITTEN_SUFFIXES)}')
    if out.exists() and out.samefile(path):
        raise UserError(f'{out}: is the input; give the result another name')
    check_writable(out)
    return path, out


def _hash_with_progress(path: Path) -> str:
    size_mb = math.ceil(path.stat().st_size / 1e6)
    with ProgressReport('hashing', size_mb, 'MB') as progress:
        return file_hash(path, lambda done: progress.advance(math.ceil(done / 1e6) - progress.done))


def _read(path: Path) -> dict[str, Any]:
    say('reading…', sys.stderr, flush=True)
    return load_checkpoint_file(path, mmap=True)


def _save(checkpoint: dict[str, Any], out: Path) -> None:
    say('writing…', sys.stderr, flush=True)
    save_checkpoint_file(checkpoint, out)


def _recognise(weights: Mapping[str, Tensor], source: str, path: Path) -> Layout:
    layout = recognise(weights, source)
    if layout is None:
        other = recognise(weights)
        kind = 'any known checkpoint' if source == 'auto' else f'a checkpoint of {source}'
        hint = f'; they look like {sources_of(other)}' if other else ''
        raise UserError(
            f'{path}: does not hold the names of {kind}, but e.g. '
            f'{", ".join(list(weights)[:4])}{hint}'
        )
    return layout


def _source_of(layout: Layout, source: str) -> str:
    """The source, where names tell it: models of one layout differ in their configs alone."""
    backbones = [name for name in BACKBONES if layout in SOURCES[name]]
    return backbones[0] if source == 'auto' and backbones else source


def _find_targets(converted: Converted, source: str, path: Path) -> list[Target]:
    if converted.unknown:
        raise UserError(
            f'{path}: {counted(len(converted.unknown), "tensors")} not of '
            f'{sources_of(converted.layout)}: {", ".join(converted.unknown[:8])}'
        )
    say('looking for the config…', sys.stderr, flush=True)
    targets = find_targets(converted, source)
    if targets:
        return targets
    if source in FOLDERS and (others := find_targets(converted, 'auto')):
        raise UserError(f'{path}: is no model of {source}; it is that of {others[0].name}')
    raise UserError(
        f'{path}: fits the model of no config in configs/ exactly ({len(converted.weights)} '
        f'tensors, {sources_of(converted.layout)}); name the config of its model, or of the model '
        'that is to be trained from it, with --config'
    )


def _note(converted: Converted, targets: list[Target], fit: Fit) -> ConversionNote:
    return ConversionNote(
        converted.layout.name,
        configs=[target.name for target in targets],
        # class weights of the loss belong to class heads
        values={} if fit.class_heads else converted.noted,
        added=converted.added,
        left_to_training=fit.left_to_training(converted.weights),
    )


def _meta(
    checkpoint: Mapping, path: Path, converted: Converted, targets: list[Target], fit: Fit
) -> dict[str, Any]:
    """Notes for the new file; those of a checkpoint of this package are kept.

    Raises:
        UserError: such a checkpoint knows other classes than the config.
    """
    meta = checkpoint.get('meta')
    is_ours = converted.layout.has_our_names and isinstance(meta, Mapping)
    kept = ('cfg', 'dataset_meta', 'mmvseg_version') if is_ours else ()
    meta = {key: meta[key] for key in kept if key in meta}
    first = targets[0]
    if len(targets) == 1:
        meta['cfg'] = first.config.pretty_text
    is_backbone = any(converted.layout in SOURCES[name] for name in BACKBONES)
    if is_backbone or fit.class_heads:
        meta.pop('dataset_meta', None)
    elif first.classes and all(target.classes == first.classes for target in targets):
        dataset = SimpleNamespace(metainfo=first.classes, ann_file=f'of {first.name}')
        check_classes(dict(meta=meta), str(path), dataset)
        meta['dataset_meta'] = plain_items(first.classes)
    return meta
