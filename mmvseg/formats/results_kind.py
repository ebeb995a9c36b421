"""Which task results are of, by the files that they consist of."""

from pathlib import Path

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
