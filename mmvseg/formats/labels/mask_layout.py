"""Where data sets of the DAVIS kind have their masks: ``Annotations/[<resolution>/]<video>``."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from mmvseg.errors import counted, short

from .mask_videos import MaskVideo
from .report import ImportReport
from .sources import Source, SourceFile

_RESOLUTION = re.compile(r'\d+p|Full-?Resolution', re.IGNORECASE)
#: The resolution that results on DAVIS are of.
_USUAL = '480p'

Parts = tuple[str, ...]


@dataclass(frozen=True)
class Root:
    """A folder of masks.

    Attributes:
        base: the folder that has it, empty at the top.
        name: its own name.
        pictures: the folder of the pictures beside it.
    """

    base: str
    name: str
    pictures: str

    @property
    def path(self) -> str:
        """Within the source."""
        return joined(self.base, self.name)


def joined(*parts: str) -> str:
    """Parts of a path, of which some may be empty."""
    return '/'.join(filter(None, parts))


def find_roots(source: Source, names: dict[str, str]) -> list[Root]:
    """The folders of masks in a source.

    Args:
        source: them.
        names: what they may be called, and the folders of pictures beside them. Of several in one
            place the first is taken.
    """
    found: dict[str, list[str]] = {}
    for folder in _folders(source):
        parts = folder.split('/')
        at = next((i for i, part in enumerate(parts) if part in names), None)
        if at is not None:
            found.setdefault('/'.join(parts[:at]), []).append(parts[at])
    order = list(names)
    firsts = {base: min(there, key=order.index) for base, there in found.items()}
    return [Root(base, name, names[name]) for base, name in firsts.items()]


def find_videos(
    source: Source, root: Root, report: ImportReport, names: Collection[str] = ()
) -> list[MaskVideo]:
    """The videos of a folder of masks.

    Args:
        source: the files.
        root: the folder; an empty one stands for the whole source.
        report: is told which resolution is taken.
        names: of videos that are known, which may have folders in them.
    """
    masks = {
        parts: pngs
        for folder, pngs in _folders(source).items()
        if (parts := _below(folder, root.path)) is not None
    }
    resolution = ''
    known = any('/'.join(parts) in names for parts in masks)
    if not known and _has_resolutions(source, root, list(masks)):
        there = list(dict.fromkeys(parts[0] for parts in masks))
        resolution = _USUAL if _USUAL in there else there[0]
        if len(there) > 1:
            report.note(f'of {root.path}/{{{",".join(there)}}}, {resolution} is read')
        masks = {p[1:]: pngs for p, pngs in masks.items() if p[0] == resolution}
    videos: dict[str, MaskVideo] = {}
    for parts, pngs in masks.items():
        whole = '/'.join(parts)
        below, track = (whole, '') if whole in names else (*whole.split('/', 1), '')[:2]
        name = below or source.path.resolve().stem
        if name not in videos:
            path = joined(root.path, resolution, below)
            pictures = [joined(root.base, root.pictures, resolution, below), name]
            videos[name] = MaskVideo(name, path, pictures)
        if track:
            videos[name].objects[track] = pngs
        else:
            videos[name].masks = pngs
    if root.path:
        note_unmasked(source, joined(root.base, root.pictures, resolution), videos, report)
    return list(videos.values())


def note_unmasked(
    source: Source, folder: str, videos: Collection[str], report: ImportReport
) -> None:
    """Say which folders of pictures have no masks.

    Args:
        source: the files.
        folder: that has the folders of pictures.
        videos: names of those that have masks.
        report: is told.
    """
    start = f'{folder}/'
    there = [f.removeprefix(start) for f in source.picture_folders() if f.startswith(start)]
    if rest := [name for name in there if name not in videos]:
        report.note(
            f'{source.path}: left out, as they have no masks: {counted(len(rest), "videos")} of '
            f'{folder} ({short(", ".join(rest))})'
        )


def _folders(source: Source) -> dict[str, list[SourceFile]]:
    """The PNGs of each folder that has some."""
    pngs = {
        folder: [file for file in files if file.suffix == '.png']
        for folder, files in source.picture_folders().items()
    }
    return {folder: files for folder, files in pngs.items() if files}


def _below(folder: str, root: str) -> Parts | None:
    """The parts of a folder's path below another folder, None if it is not below it."""
    if folder == root:
        return ()
    if root and not folder.startswith(f'{root}/'):
        return None
    return tuple(folder.removeprefix(root).strip('/').split('/'))


def _has_resolutions(source: Source, root: Root, folders: Sequence[Parts]) -> bool:
    """Whether the first folders are resolutions rather than videos; the pictures tell."""
    deep = [parts for parts in folders if len(parts) > 1]
    if not deep:
        return False
    if any(len(parts) > 2 for parts in deep):
        return True
    beside = joined(root.base, root.pictures)
    if any(source.pictures(joined(beside, *parts)) for parts in deep):
        return True
    if any(source.pictures(joined(beside, parts[0])) for parts in deep):
        return False
    return all(_RESOLUTION.fullmatch(parts[0]) for parts in deep)
