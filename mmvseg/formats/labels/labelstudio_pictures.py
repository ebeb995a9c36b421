"""Which videos pictures are of that were uploaded one by one, so that their folders are lost."""

from .frame_names import split_frame_name
from .sources import Source, SourceFile

#: What stands between folder and name where both are one name.
_SIGNS = ('_', '-', '__')


class UploadedPictures:
    """Finds the video and the picture of uploaded files by their names.

    Args:
        source: where the pictures are looked for.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._by_name: dict[str, list[SourceFile]] | None = None
        self._videos: dict[str, tuple[str, bool]] = {}

    def place(self, base: str, project: str) -> tuple[str, str]:
        """The video and the picture that an uploaded file is of.

        A name ``<video>_<number>`` says the video, also if the picture is called ``<number>`` and
        lies in a folder ``<video>``. Else the folder of the only picture of this name does, and
        without one the project is the video.

        Raises:
            ValueError: there are several such pictures.
        """
        found = self._names().get(base, ())
        split = split_frame_name(base)
        if len(found) == 1 and (not split or not split[0] or found[0].base != base):
            folder, is_whole = found[0].folder, True
            name, frame = folder.rpartition('/')[2] or project, found[0].base
        else:
            folder, is_whole = found[0].folder if len(found) == 1 else '', False
            name, frame = (split and split[0]) or project, base
        if len(found) > 1 and not (split and split[0]):
            folders = ', '.join(sorted(file.folder or '.' for file in found))
            raise ValueError(
                f'{base} was uploaded, so that its folder is not known, and there are several '
                f'pictures of this name (in {folders}); names like <video>_<number> tell them apart'
            )
        self._videos[name] = folder, is_whole
        return name, frame

    def of_video(self, name: str) -> list[SourceFile]:
        """The pictures of a video: those of its folder, or those there whose names say it."""
        folder, is_whole = self._videos[name]
        pictures = self._source.pictures(folder)
        if is_whole:
            return pictures
        return [p for p in pictures if (split := split_frame_name(p.base)) and split[0] == name]

    def _names(self) -> dict[str, list[SourceFile]]:
        """Pictures by their names, and by ``<folder>_<name>``."""
        if self._by_name is None:
            self._by_name = {}
            for file in self._source.files.values():
                if not file.is_picture:
                    continue
                parent = file.folder.rpartition('/')[2]
                names = {file.base, *(f'{parent}{sign}{file.base}' for sign in _SIGNS if parent)}
                for name in names:
                    self._by_name.setdefault(name, []).append(file)
        return self._by_name
