"""Which task results are of, by the files that they consist of."""

import zipfile
from pathlib import Path, PurePosixPath

from mmvseg.errors import UserError
from mmvseg.media.images import png_header

_HEADER_BYTES = 64


def results_task(path: str | Path) -> str:
    """What kind of results lies at ``path``: ``vis``, ``vps`` or ``vss``.

    Raises:
        UserError: if it is a folder of neither kind.
    """
    path = Path(path)
    if not path.is_dir():
        return 'vis'
    if (path / 'pred.json').is_file():
        return 'vps'
    first = next(path.glob('*/*.png'), None)
    if first is not None:
        with open(first, 'rb') as file:
            return _task_of_map(file.read(_HEADER_BYTES))
    if (path / 'videos.json').is_file():
        return 'vss'
    raise UserError(
        f'{path}: holds no results: neither pred.json and pan_pred/ (VIPSeg, Cityscapes-VPS) nor a '
        'folder of PNGs for each video (VSPW, STEP); of YouTube-VIS, give the results.json itself'
    )


def packed_task(path: str | Path) -> str:
    """The same, where ``path`` may also be an archive, see :func:`.submissions.unpacked`."""
    path = Path(path)
    if path.suffix.lower() != '.zip' or not zipfile.is_zipfile(path):
        return results_task(path)
    with zipfile.ZipFile(path) as archive:
        names = {PurePosixPath(name).name for name in archive.namelist()}
        if 'results.json' in names:
            return 'vis'
        if 'pred.json' in names:
            return 'vps'
        maps = (name for name in archive.namelist() if name.endswith('.png'))
        first = next((name for name in maps if not name.startswith('__MACOSX/')), None)
        if first is None:
            return 'vss'
        with archive.open(first) as file:
            return _task_of_map(file.read(_HEADER_BYTES))


def _task_of_map(data: bytes) -> str:
    """Maps of STEP have three channels, those of VSPW one."""
    header = png_header(data)
    return 'vps' if header is not None and header.kind == 'RGB 8 bit' else 'vss'
