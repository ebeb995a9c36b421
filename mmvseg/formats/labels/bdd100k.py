"""BDD100K: Scalabel json with masks or polygons, or bit masks.

The json is preferred, of several folders of it that of run-length codes: polygons lose holes. The
COCO files of BDD100K are of the format coco.
"""

from mmvseg.errors import UserError

from .bdd100k_masks import mask_folders, read_masks
from .options import ImportOptions
from .records import Labels
from .report import ImportReport
from .scalabel import looks_like_scalabel, read_scalabel
from .sources import Source, SourceFile

OPTIONS = frozenset({'classes'})


def recognises(source: Source) -> bool:
    """Whether a json begins as Scalabel's do, or there is a folder of bit masks."""
    return any(map(looks_like_scalabel, source.of('.json'))) or bool(mask_folders(source))


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = [file for file in source.of('.json') if looks_like_scalabel(file)]
    folders = mask_folders(source)
    codes, polygons = _below(files, 'rles'), _below(files, 'polygons')
    if not files and not folders:
        raise UserError(
            f'{source.path}: neither json of Scalabel nor a folder bitmasks with RGBA PNGs'
        )
    if codes:
        chosen, left = codes, [*folders, *(file for file in files if file not in codes)]
    elif folders and len(polygons) == len(files):
        chosen, left = [], polygons
    else:
        chosen, left = files, list(folders)
    if left:
        what = chosen[0] if chosen else 'the bit masks'
        report.note(f'{source.path}: read from {what} and its like; {left[0]} and its like are not')
    if chosen:
        return read_scalabel(chosen, options, report)
    return read_masks(folders, source, options, report)


def _below(files: list[SourceFile], folder: str) -> list[SourceFile]:
    return [file for file in files if folder in file.folder.split('/')]
