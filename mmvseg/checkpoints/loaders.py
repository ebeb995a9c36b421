"""Weights by path, address or the name of a published model; mmengine's own loading, too."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mmengine
from mmengine.runner.checkpoint import CheckpointLoader

from mmvseg.errors import UserError
from mmvseg.examples import checkpoint_path

from .addresses import is_address, shown
from .cache import forget
from .downloads import fetch
from .files import DamagedCheckpointError, load_checkpoint_file
from .weights import weights_of

_SCHEME = re.compile(r'([\w.:+-]+)://(.*)', re.DOTALL)
#: Tables of addresses that mmengine brings, by the scheme of the names in them.
_TABLES = {
    'modelzoo': 'torchvision_0.12',
    'torchvision': 'torchvision_0.12',
    'open-mmlab': 'openmmlab',
    'openmmlab': 'openmmlab',
    'mmcls': 'mmcls',
}
_MAX_NAMES = 12


def load_weights(
    source: str | Path, allow_pickle: bool = False, mmap: bool = False
) -> dict[str, Any]:
    """Read a checkpoint, wherever it lies.

    Args:
        source: a path, an address (``http://``, ``https://``, ``hf:USER/REPO/FILE``) or the name of
            a published model (``torchvision://resnet50``, ``openmmlab://…``, ``mmcls://…``) or of
            the one that ships with this package (``example://minvis_shapes``).
        allow_pickle: as in :func:`load_checkpoint_file`.
        mmap: as there.

    Raises:
        UserError: there is nothing of that name, it cannot be fetched, or is unusable.
    """
    if is_address(source):
        return _load_from(str(source), allow_pickle, mmap)
    match = _SCHEME.fullmatch(str(source))
    if not match:
        return load_checkpoint_file(source, allow_pickle, mmap=mmap)
    scheme, name = match[1].lower(), match[2]
    if scheme == 'example':
        return load_checkpoint_file(checkpoint_path(name), mmap=mmap)
    if scheme not in _TABLES:
        known = ', '.join(f'{scheme}://' for scheme in ('http', 'https', 'example', *_TABLES))
        raise UserError(
            f'checkpoint {source}: weights are not read from {scheme}://; give the path of a file, '
            f'hf:USER/REPO/FILE, or one of {known}'
        )
    checkpoint = _load_from(_address(str(source), scheme, name), allow_pickle, mmap)
    return _backbone(checkpoint, str(source)) if scheme == 'mmcls' else checkpoint


def register_safe_loading(allow_pickle: bool = False) -> None:
    """Make mmengine's own loading (``init_cfg=dict(type='Pretrained', …)``) go through ours.

    Its readers of all kinds of addresses unpickle whatever there is, so all of them are replaced.

    Args:
        allow_pickle: as in :func:`load_checkpoint_file`, for all files loaded from now on.
    """

    def load_from_anywhere(filename: str, map_location: Any = None) -> dict[str, Any]:
        checkpoint = load_weights(filename, allow_pickle)
        return dict(state_dict=weights_of(checkpoint, filename))

    prefixes = [
        prefix
        for prefix, loader in CheckpointLoader._schemes.items()
        if loader.__module__.startswith(('mmengine.', f'{__package__}.'))
    ]
    CheckpointLoader.register_scheme(prefixes, load_from_anywhere, force=True)


def _load_from(url: str, allow_pickle: bool, mmap: bool) -> dict[str, Any]:
    path = fetch(url)
    try:
        return load_checkpoint_file(path, allow_pickle, mmap=mmap)
    except DamagedCheckpointError as error:
        # else it would be found in place of the file for ever
        forget(path)
        raise UserError(
            f'checkpoint {shown(url)}: its copy is removed from the cache: {error}'
        ) from error


def _address(source: str, scheme: str, name: str) -> str:
    """The address of a published model.

    Raises:
        UserError: there is none of that name.
    """
    urls = _table(_TABLES[scheme])
    if scheme in ('open-mmlab', 'openmmlab'):
        name = _table('deprecated').get(name, name)
    if name not in urls:
        names = sorted(urls)
        more = f', … ({len(names)} in all)' if len(names) > _MAX_NAMES else ''
        raise UserError(
            f'checkpoint {source}: unknown model, known are {", ".join(names[:_MAX_NAMES])}{more}'
        )
    return urls[name]


def _table(name: str) -> dict[str, str]:
    """One of mmengine's tables; read directly, since some need packages that may not be here."""
    return json.loads((Path(mmengine.__file__).parent / 'hub' / f'{name}.json').read_text())


def _backbone(checkpoint: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Of a classifier the backbone alone, as its users name it.

    Raises:
        UserError: there is none.
    """
    prefix = 'backbone.'
    weights = weights_of(checkpoint, source)
    backbone = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
    if not backbone:
        raise UserError(f'checkpoint {source}: has no weights of a backbone')
    return dict(state_dict=backbone)
