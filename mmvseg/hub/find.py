"""Which config and which weights are meant by what a user names."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmvseg.checkpoints.addresses import is_address, shown
from mmvseg.checkpoints.downloads import fetch
from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.checkpoints.loaders import load_weights
from mmvseg.engine.cfg_options import apply_options
from mmvseg.engine.config import load_config
from mmvseg.engine.config_files import SUFFIXES
from mmvseg.engine.config_text import config_of_text
from mmvseg.engine.own_data import use_own_data
from mmvseg.errors import UserError
from mmvseg.examples import SCHEME, checkpoint_path
from mmvseg.files import user_path
from mmvseg.model_index import find_entry

from .install import install_model

_NAME = re.compile(r'[\w-]+')


def find_model(
    model: str | Path | Config,
    checkpoint: str | Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    allow_pickle: bool = False,
) -> tuple[Config, str | Path]:
    """The config and the weights of a model of videos.

    Args:
        model: with a checkpoint its config: a path, a ``Config`` of mmengine or the name of a
            model. Without one the name of a published model, which is fetched and converted the
            first time, or a checkpoint that notes its config: a path, ``https://…`` or
            ``hf:USER/REPO/FILE``.
        checkpoint: as of :func:`find_checkpoint`.
        cfg_options: values of the config to change, by dotted key.
        allow_pickle: as in :func:`mmvseg.checkpoints.files.load_checkpoint_file`.

    Returns:
        The config, and what :func:`mmvseg.checkpoints.loaders.load_weights` reads.

    Raises:
        UserError: there is no such model, it is none of videos, or something cannot be fetched or
            read.

    Example:
        >>> config, checkpoint = find_model('example://minvis_shapes')
        >>> config.model.type, checkpoint.name
        ('MinVIS', 'minvis_shapes-3658640d.safetensors')
        >>> config, checkpoint = find_model('tevit_r50')  # doctest: +SKIP
    """
    if checkpoint is not None:
        return _config(model, cfg_options), find_checkpoint(checkpoint, allow_pickle)
    if isinstance(model, Config):
        raise UserError('a config alone has no weights: give a checkpoint, too')
    text = str(model)
    if is_address(text) or text.startswith(SCHEME) or user_path(text).is_file():
        return _from_checkpoint(model, cfg_options, allow_pickle)
    if '://' in text:
        raise UserError(
            f'model {text}: is no https://… or hf:USER/REPO/FILE; weights from elsewhere need the '
            'config of their model, too'
        )
    if not _NAME.fullmatch(text):
        raise UserError(f'model {text}: no such file')
    entry = find_entry(text)
    if entry.task == 'image':
        raise UserError(
            f'model {text}: segments single images; as a start for training its name can stand '
            'in load_from. Models of videos: mmvseg models vis'
        )
    return load_config(entry.config_file, cfg_options), install_model(entry)


def find_checkpoint(source: str | Path, allow_pickle: bool = False) -> str | Path:
    """The file of a checkpoint that is named by a path, an address or a published model.

    Args:
        source: a path, ``https://…``, ``hf:USER/REPO/FILE``, the name of a model of the index, or
            ``example://minvis_shapes``, the one that ships with the package. Names of other
            tables, such as ``torchvision://resnet50``, stay as they are.
        allow_pickle: as in :func:`mmvseg.checkpoints.files.load_checkpoint_file`.

    Raises:
        UserError: it cannot be fetched, is no checkpoint, or nothing has that name.

    Example:
        >>> find_checkpoint('example://minvis_shapes').name
        'minvis_shapes-3658640d.safetensors'
    """
    text = str(source)
    if text.startswith(SCHEME):
        return checkpoint_path(text.removeprefix(SCHEME))
    if is_address(text):
        load_weights(text, allow_pickle, mmap=True)  # what is none does not stay in the cache
        return fetch(text)
    if os.path.isfile(text) or not _NAME.fullmatch(text):
        return source
    try:
        entry = find_entry(text)
    except UserError as error:
        raise UserError(f'checkpoint {text}: no such file; {error}') from error
    return install_model(entry)


def _config(model: str | Path | Config, cfg_options: Mapping[str, Any] | None) -> Config:
    if isinstance(model, Config):
        config = model.copy()
        use_own_data(config)
        apply_options(config, cfg_options or {})
        return config
    return load_config(model, cfg_options)


def _from_checkpoint(
    source: str | Path, cfg_options: Mapping[str, Any] | None, allow_pickle: bool
) -> tuple[Config, str | Path]:
    name = shown(str(source)) if is_address(source) else str(source)
    if Path(name).suffix in SUFFIXES:
        raise UserError(
            f'config {name}: has no weights: give a checkpoint, too, or the name of a published '
            'model alone'
        )
    path = find_checkpoint(source, allow_pickle)
    meta = load_checkpoint_file(path, allow_pickle, mmap=True).get('meta')
    text = meta.get('cfg') if isinstance(meta, Mapping) else None
    if not isinstance(text, str):
        raise UserError(
            f'checkpoint {name}: notes no config (meta.cfg), as those of mmvseg do; give the '
            'config of its model, too'
        )
    config = config_of_text(text, name)
    apply_options(config, cfg_options or {})
    return config, path
