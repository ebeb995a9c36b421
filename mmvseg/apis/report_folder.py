"""A folder with ``report.json`` and pictures, all of one analysis."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmvseg.files import file_errors, write_bytes, write_json
from mmvseg.locks import folder_lock

from .output_paths import check_output_files, check_output_folder

REPORT = 'report.json'
#: Pictures that an analysis may make; those of an earlier one are removed.
PICTURES = ('gains', 'curves', 'calibration', 'confusion', 'groups', 'losses', 'differences')


def check_report_folder(folder: Path, inputs: Sequence[Path]) -> None:
    """Make sure, before the work, that the report can be written and takes no input's place.

    Raises:
        UserError: naming the folder or the file.
    """
    check_output_folder('--out', folder, inputs=())
    check_output_files({'--out': folder / REPORT}, inputs)


def write_report(
    folder: Path,
    numbers: Mapping[str, Any],
    pictures: Mapping[str, bytes],
) -> None:
    """Write the numbers and the pictures of an analysis.

    ``report.json`` comes last: where it is, the rest is whole.

    Args:
        folder: is made if need be; other files in it stay.
        numbers: as json knows them.
        pictures: SVG files by name, see :data:`PICTURES`.

    Raises:
        UserError: it cannot be written, or another run writes there.
    """
    with folder_lock(folder, 'give another --out'):
        with file_errors(folder):
            for name in (REPORT, *(f'{picture}.svg' for picture in PICTURES)):
                (folder / name).unlink(missing_ok=True)
        for name, picture in pictures.items():
            write_bytes(folder / f'{name}.svg', picture)
        write_json(folder / REPORT, numbers)
