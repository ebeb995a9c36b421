"""CVAT: tasks, jobs and projects exported as "CVAT for video 1.1" or "CVAT for images 1.1".

The xml of such an export, its archive with or without pictures, or a folder of several; also as
datumaro writes them. Each task is a video; of "for images", each folder of pictures. Labels are
declared in ``meta``. What the two kinds mean: ``cvat_tracks`` and ``cvat_images``; numbers of
frames: ``cvat_meta``; coordinates: ``cvat_shapes``.

A backup of a task or project (``task.json`` and ``annotations.json``) is another thing, which only
CVAT itself restores.
"""

from collections.abc import Iterator

from mmvseg.errors import UserError

from .cvat_frames import counted_by_pictures, order_note, task_frames
from .cvat_images import images_videos
from .cvat_meta import NO_NAMES, Meta, read_meta
from .cvat_tracks import TaskTracks
from .cvat_videos import pending_videos
from .cvat_xml import is_cvat_xml, read_parts
from .options import ImportOptions
from .records import Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile

OPTIONS = frozenset()

#: So many files are looked at before others have to be named.
_LOOKED_AT = 20


def recognises(source: Source) -> bool:
    """Whether there is an xml of CVAT, or a backup."""
    files = source.of('.xml')[:_LOOKED_AT]
    return _backup(source) is not None or any(map(is_cvat_xml, files))


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = [file for file in source.of('.xml') if is_cvat_xml(file)]
    if not files and (backup := _backup(source)) is not None:
        raise UserError(
            f'{backup}: is a backup, which only CVAT itself restores; in its menu choose "Export '
            'task dataset" (or job, project) with the format "CVAT for video 1.1"'
        )
    if not files:
        raise UserError(
            f'{source.path}: no xml of CVAT; export with the format "CVAT for video 1.1"'
        )
    metas: dict[SourceFile, tuple[Meta, bool]] = {}
    for file in files:
        with report.guard():
            metas[file] = _read_head(file, _fallback(source))
    classes = {label.name: label for meta, _ in metas.values() for label in meta.classes}
    # a file without labels says nothing of those that there are
    is_declared = all(meta.classes for meta, _ in metas.values())
    videos = _videos(metas, source, options, report)
    return Labels(list(classes.values()) if is_declared else None, videos)


def _fallback(source: Source) -> str:
    """What a video is called if nothing else says it."""
    path = source.path.resolve()
    if path.is_dir():
        return path.name
    return path.parent.name if path.stem in NO_NAMES else path.stem


def _backup(source: Source) -> SourceFile | None:
    """A file that only backups have; those of projects have one for each task."""
    for file in source.called('task.json'):
        if source.get(file.folder, 'annotations.json'):
            return file
    return None


def _read_head(file: SourceFile, fallback: str) -> tuple[Meta, bool]:
    """What a file says of itself, and whether it lists images.

    Raises:
        UserError: it is no sound xml, or says nothing of itself.
    """
    meta = None
    for part, _ in read_parts(file):
        if part.tag == 'meta':
            meta = read_meta(part, file, fallback)
        else:
            break
    else:
        part = None
    if meta is None:
        raise UserError(f'{file}: says nothing of its task (no meta before the rest)')
    return meta, part is not None and part.tag == 'image'


def _videos(
    metas: dict[SourceFile, tuple[Meta, bool]],
    source: Source,
    options: ImportOptions,
    report: ImportReport,
) -> Iterator[PendingVideo]:
    for file, (meta, has_images) in metas.items():
        if has_images:
            with report.guard():
                yield from images_videos(file, meta, source, options, report)
        else:
            yield from _track_videos(file, meta, source, options, report)


def _track_videos(
    file: SourceFile, meta: Meta, source: Source, options: ImportOptions, report: ImportReport
) -> Iterator[PendingVideo]:
    """The tasks of a "for video" file."""

    def read_all() -> dict[int, TaskTracks | UserError]:
        tasks: dict[int, TaskTracks | UserError] = {}
        for place, task in enumerate(meta.tasks):
            if meta.is_datumaro:
                task = counted_by_pictures(task, file, source)
            try:
                frames, size = task_frames(task, file, source, options)
                if (note := order_note(task, frames)) is not None:
                    report.note(note)
                tasks[place] = TaskTracks(task, meta, frames, size, file, report)
            except UserError as error:
                tasks[place] = error
        places = {task.id: place for place, task in enumerate(meta.tasks)}
        for track, shape in read_parts(file):
            if track.tag != 'track':
                continue
            place = places.get(track.get('task_id') or '') if len(tasks) > 1 else 0
            if place is None:
                if shape is None:
                    rule = f'is of the task {track.get("task_id")}, which meta does not have'
                    report.bad(file, rule, track=track.get('id'))
                continue
            task = tasks[place]
            if isinstance(task, TaskTracks):
                task.add(track, shape)
        return tasks

    names = {place: task.name for place, task in enumerate(meta.tasks)}
    return pending_videos(names, read_all, report)
