"""The files of a whole test: which there are, packing them, throwing them away."""

import json
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.files import SAME_COMMAND, file_errors, partial_path, whole_file

from .json_files import load_json
from .panoptic_writers import PanopticWriter
from .png_writer import video_folder
from .results_writer import PARTIAL_FILES
from .writers import InstanceWriter, SemanticWriter

ARCHIVE = 'submission.zip'
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip archive can state
_WRITERS = (InstanceWriter, PanopticWriter, SemanticWriter)


def complete_results(out_dir: str | Path) -> Path | None:
    """The joined file in a folder, which is there when the results of all videos are."""
    paths = (Path(out_dir, writer.file_name) for writer in _WRITERS)
    return next((path for path in paths if path.is_file()), None)


def zip_results(out_dir: str | Path) -> Path:
    """Pack the results of a folder for the evaluation server.

    Returns:
        ``submission.zip`` in the same folder. At its root lie ``results.json``, or ``pred.json``
        and ``pan_pred``, or the folders of the videos.

    Raises:
        UserError: if the results are not there or not complete, or the archive cannot be written.
    """
    source, archive = complete_results(out_dir), Path(out_dir, ARCHIVE)
    if source is None:
        raise UserError(f'{out_dir}: has no complete results; run the test first')
    with (
        file_errors(archive, SAME_COMMAND),
        whole_file(archive, durable=True) as part,
        zipfile.ZipFile(part, 'w', zipfile.ZIP_DEFLATED) as zipped,
    ):
        for path in _members(source):
            # a PNG is as small as it gets
            kind = zipfile.ZIP_STORED if path.suffix == '.png' else zipfile.ZIP_DEFLATED
            member = zipfile.ZipInfo.from_file(path, path.relative_to(out_dir))
            # equal results give an equal archive, whenever they were written
            member.date_time, member.compress_type = _EARLIEST, kind
            with open(path, 'rb') as file, zipped.open(member, 'w') as target:
                shutil.copyfileobj(file, target)
    return archive


def holds_results(out_dir: Path) -> bool:
    """Whether a folder has results of some task, complete or not."""
    names = (PanopticWriter.file_name, PanopticWriter.png_folder, SemanticWriter.file_name)
    return any(_instance_files(out_dir)) or any((out_dir / name).exists() for name in names)


def remove_results(out_dir: Path) -> None:
    """Throw away the results of a folder, their numbers and their archive.

    Of semantic results the PNGs that the folder lists; those of a video that was never finished
    stay until it is written again.

    Raises:
        OSError: a file cannot be removed.
    """
    for names in _semantic_pngs(out_dir):
        for path in names:
            path.unlink(missing_ok=True)
        with suppress(OSError):  # holds files that are not ours
            names[0].parent.rmdir()
    if (out_dir / PanopticWriter.png_folder).exists():
        shutil.rmtree(out_dir / PanopticWriter.png_folder)
    made = ('metrics.json', ARCHIVE, *(writer.file_name for writer in _WRITERS))
    files = [out_dir / name for name in made]
    for path in (*_instance_files(out_dir), *files, *map(partial_path, files)):
        path.unlink(missing_ok=True)


def _instance_files(out_dir: Path) -> list[Path]:
    """The joined and the partial files; a folder of that name is somebody else's."""
    paths = [*out_dir.glob(PARTIAL_FILES), *out_dir.glob(f'{InstanceWriter.file_name}*')]
    return [path for path in paths if path.is_file()]


def _members(source: Path) -> Iterator[Path]:
    if source.name == SemanticWriter.file_name:
        for names in _semantic_pngs(source.parent):
            yield from names
        return
    yield source
    if source.name == PanopticWriter.file_name:
        yield from sorted((source.parent / PanopticWriter.png_folder).rglob('*.png'))


def _semantic_pngs(out_dir: Path) -> Iterator[list[Path]]:
    """The PNGs of each video that a folder lists as finished."""
    for record in _records(out_dir):
        names = record.get('pngs', record.get('entries'))
        if names and all(isinstance(name, str) for name in names):
            yield [out_dir / video_folder(record['video_id']) / Path(name).name for name in names]


def _records(out_dir: Path) -> Iterator[dict[str, Any]]:
    joined = out_dir / SemanticWriter.file_name
    if joined.is_file():
        yield from load_json(joined)
    for path in out_dir.glob(PARTIAL_FILES):
        with open(path, 'rb') as file:
            for line in file:
                with suppress(ValueError):  # cut off
                    yield json.loads(line)
