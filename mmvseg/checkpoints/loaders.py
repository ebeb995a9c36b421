"""mmengine's own loading of weights, by path or address, through our safe reading."""

import json
from pathlib import Path

import mmengine
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from mmvseg.errors import UserError

from .files import load_checkpoint_file


def register_safe_loading(allow_pickle: bool = False) -> None:
    """Make mmengine's own loading (``init_cfg=dict(type='Pretrained', …)``) go through ours.

    Args:
        allow_pickle: as in :func:`load_checkpoint_file`, for all files loaded from now on.
    """

    def load_from_local(filename: str, map_location: str | None = None) -> dict:
        return load_checkpoint_file(filename, allow_pickle, map_location or 'cpu')

    def load_from_http(filename: str, map_location: str | None = None) -> dict:
        return load_from_local(_download(filename), map_location)

    def load_from_torchvision(filename: str, map_location: str | None = None) -> dict:
        # mmengine's table of addresses; reading it directly spares the torchvision package
        table = Path(mmengine.__file__).parent / 'hub' / 'torchvision_0.12.json'
        name = filename.split('://', 1)[1]
        urls = json.loads(table.read_text())
        if name not in urls:
            raise UserError(f'checkpoint {filename}: unknown model, known are {sorted(urls)}')
        return load_from_http(urls[name], map_location)

    register = CheckpointLoader.register_scheme
    register(prefixes='', loader=load_from_local, force=True)
    register(prefixes=('http://', 'https://'), loader=load_from_http, force=True)
    register(prefixes=('modelzoo://', 'torchvision://'), loader=load_from_torchvision, force=True)


def _download(url: str) -> Path:
    folder = Path(torch.hub.get_dir()) / 'checkpoints'
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / url.rsplit('/', 1)[-1]
    if not path.is_file():
        try:
            torch.hub.download_url_to_file(url, str(path), progress=False)
        except OSError as error:
            raise UserError(
                f'checkpoint {url}: download failed ({error}); '
                f'fetch it by other means and save it as {path}'
            ) from error
    return path
