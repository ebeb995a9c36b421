"""Which task results are of, by the files that they consist of."""

import zipfile
from pathlib import Path, PurePosixPath

from mmvseg.errors import UserError


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
    if (path / 'videos.json').is_file() or next(path.glob('*/*.png'), None) is not None:
        return 'vss'
    raise UserError(
        f'{path}: holds no results: neither pred.json and pan_pred/ (VIPSeg) nor a folder of PNGs '
        'for each video (VSPW); of YouTube-VIS, give the results.json itself'
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
    return 'vps' if 'pred.json' in names else 'vss'
