"""The pictures that labels belong to: folders of frames, or video files."""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath
from typing import Generic, TypeVar

from mmvseg.errors import UserError
from mmvseg.media.frame_source import VideoFile
from mmvseg.media.images import read_image_size

from .records import Frame
from .sources import Source, SourceFile, nfc

T = TypeVar('T')


class Footage:
    """Finds the frames of a video by its name.

    Args:
        source: the labels, which may have pictures and videos beside them.
        frames: folder of frames that was given for them, with a folder a video.
        videos: video file that was given for them, or a folder of such.
    """

    def __init__(
        self, source: Source, frames: Source | None = None, videos: Source | None = None
    ) -> None:
        self.source, self.given_frames, self.given_videos = source, frames, videos
        self._ends: dict[str, list[tuple[list[str], SourceFile]]] | None = None
        self._label_folders: set[str] = set()
        self._lengths: dict[SourceFile, int] = {}
        # names of the videos for which the only file that was given was taken, and of those whose
        # labels call it by its name
        self._served: set[str] = set()
        self._called: set[str] = set()

    def leave_out(self, folders: Iterable[str]) -> None:
        """Say that the pictures below some folders of the source are labels, not frames."""
        self._label_folders.update(folders)
        self.__dict__.pop('_pictures', None)

    @property
    def is_given(self) -> bool:
        """Whether frames or videos were given beside the labels."""
        return self.given_frames is not None or self.given_videos is not None

    def frames(self, *names: str) -> list[Frame] | None:
        """All frames of a video, from its pictures or from its video file.

        Args:
            names: what the video may be called: its name, the file that it was made of.

        Returns:
            The frames in the order of time, None if nothing of these names is there.
        """
        if pictures := self.pictures(*names):
            return [Frame(file.base, file, index=i) for i, file in enumerate(pictures)]
        if (video := self.video(*names)) is not None:
            return [Frame(f'{i:06d}.jpg', video=video, index=i) for i in range(self.length(video))]
        return None

    def pictures(self, *names: str, shared: bool = False) -> list[SourceFile]:
        """The pictures of a video, in natural order; empty if there are none.

        Args:
            names: what the video may be called.
            shared: whether a folder that was given may have the pictures of several videos, which
                the caller tells apart.
        """
        if self.given_videos is not None and self.given_frames is None:
            return []
        if (folder := self._pictures.find(names)) is not None:
            return folder
        if self.given_frames is not None and [*self.given_frames.picture_folders()] == ['']:
            if not shared:
                self._serve(self.given_frames, names)
            return self.given_frames.pictures('')
        return []

    def picture(self, name: str, near: Collection[str] = ()) -> SourceFile | None:
        """The picture whose path is that of a name, or ends as it does.

        Of a name with folders, the last of them has to agree.

        Args:
            name: a path as labels give it, with ``/`` or ``\\``.
            near: names of folders of which one is preferred, if there are several such pictures.

        Returns:
            It, None if there is none.

        Raises:
            UserError: there are several.
        """
        if self.given_videos is not None and self.given_frames is None:
            return None
        where = self.source if self.given_frames is None else self.given_frames
        if self._ends is None:
            self._ends = _by_ends(where)
        parts = _plain(name).split('/')
        found = self._ends.get('/'.join(parts[-2:]), [])
        common = [_common_end(whole, parts) for whole, _ in found]
        most = max(common, default=0)
        best = [file for count, (_, file) in zip(common, found, strict=True) if count == most]
        if len(best) > 1:
            best = [file for file in best if not set(near).isdisjoint(file.name.split('/'))] or best
        if len(best) > 1:
            raise UserError(
                f'{where.path}: {name} could be {best[0].name} or {best[1].name}; give the folder '
                'of the right ones with --frames'
            )
        return best[0] if best else None

    def video(self, *names: str) -> SourceFile | None:
        """The video file of a video, None if there is none."""
        found = self._video_names.find(names)
        if self.given_videos is None:
            return found
        if len(self._videos) == len(self.given_videos.files) == 1:
            self._serve(self.given_videos, names, is_called_so=found is not None)
            return self._videos[0]
        return found

    def _serve(self, given: Source, names: Sequence[str], is_called_so: bool = False) -> None:
        """Take what was given for one video, whatever that is called.

        Several videos may have been made of one file, whose name they then say.

        Raises:
            UserError: it has been taken for another one.
        """
        taken = self._served if is_called_so else self._served | self._called
        if taken and taken.isdisjoint(names):
            raise UserError(
                f'{given.path}: belongs to one video, but the labels have several, '
                f'{sorted(taken)[0]} and {names[0]} among them; give a folder with the '
                'frames or the video file of each, called as the video'
            )
        (self._called if is_called_so else self._served).update(names)

    def length(self, video: SourceFile) -> int:
        """Frames of a video file, counted by decoding it: what files say of it is often wrong."""
        if video not in self._lengths:
            self._lengths[video] = sum(1 for _ in opened(video))
        return self._lengths[video]

    def size(self, frames: Iterable[Frame]) -> tuple[int, int] | None:
        """Height and width of the first frame that can be read; None if there are no pictures.

        Raises:
            UserError: there are pictures and none can be read.
        """
        broken: UserError | None = None
        for frame in frames:
            try:
                if frame.picture is not None:
                    return read_image_size(frame.picture)
                if frame.video is not None:
                    return opened(frame.video).size
            except UserError as error:
                broken = broken or error
        if broken is not None:
            raise broken
        return None

    def check_given(self, video: str, frames: Iterable[Frame]) -> None:
        """Make sure that frames that were given have some of a video's.

        Raises:
            UserError: they have none.
        """
        if self.is_given and not any(frame.picture or frame.video for frame in frames):
            raise self.missing(video)

    def missing(self, video: str) -> UserError:
        """The error of labels that need the frames of a video, which are not there."""
        return UserError(
            f'{self.source.path}: the frames of {video} are needed and not there; give their '
            'folder with --frames (a folder for each video), or the video files with --video'
        )

    @cached_property
    def _pictures(self) -> '_Names[list[SourceFile]]':
        where = self.source if self.given_frames is None else self.given_frames
        names: _Names[list[SourceFile]] = _Names()
        is_source = where.path.resolve() == self.source.path.resolve()
        for folder, files in where.picture_folders().items():
            if not (is_source and self._has_labels(folder)):
                names.add(folder, files)
        return names

    def _has_labels(self, folder: str) -> bool:
        while folder and folder not in self._label_folders:
            folder = folder.rpartition('/')[0]
        return folder in self._label_folders

    @cached_property
    def _videos(self) -> list[SourceFile]:
        where = self.source if self.given_videos is None else self.given_videos
        return [file for file in where.files.values() if file.is_video]

    @cached_property
    def _video_names(self) -> '_Names[SourceFile]':
        names: _Names[SourceFile] = _Names()
        for file in self._videos:
            names.add(file.name, file)
            names.add(_stem(file.name), file)
        return names


class _Names(Generic[T]):
    """Finds things by their names, which are paths, or by the last parts of them."""

    def __init__(self) -> None:
        self._things: dict[str, list[T]] = {}
        self._ends: dict[str, list[T]] = {}
        self._bases: dict[str, list[T]] = {}

    def add(self, name: str, thing: T) -> None:
        """A thing of a name, which may have further names."""
        self._things.setdefault(name, []).append(thing)
        end = name
        while '/' in end:
            end = end.partition('/')[2]
            self._ends.setdefault(end, []).append(thing)
        self._bases.setdefault(end, []).append(thing)

    def find(self, names: Iterable[str]) -> T | None:
        """The only thing that has one of these names, most of all the first; None if there is none.

        A name is better than the end of one, and that than one without its suffix: a folder of
        frames is called as the video file.
        """
        wanted = [_plain(name) for name in names]
        stems = [PurePosixPath(name).stem for name in wanted]
        for table, keys in ((self._things, wanted), (self._ends, wanted), (self._bases, stems)):
            for key in filter(None, keys):
                if len(found := table.get(key, ())) == 1:
                    return found[0]
        return None


def opened(video: SourceFile) -> VideoFile:
    """A video file, ready to be decoded.

    Raises:
        UserError: it lies in an archive, or cannot be decoded.
    """
    if video.member is not None:
        raise UserError(f'{video}: a video in an archive cannot be decoded; unpack the archive')
    return VideoFile(video.path)


def _plain(name: str) -> str:
    return nfc(name).replace('\\', '/').strip('/')


def _by_ends(where: Source) -> dict[str, list[tuple[list[str], SourceFile]]]:
    """Pictures with the parts of their paths, by their names, and by these with their folder's."""
    root = nfc(where.path.resolve().stem)
    ends: dict[str, list[tuple[list[str], SourceFile]]] = {}
    for file in where.files.values():
        if file.is_picture:
            parts = [root, *file.name.split('/')]
            for end in (parts[-1], '/'.join(parts[-2:])):
                ends.setdefault(end, []).append((parts, file))
    return ends


def _common_end(one: list[str], other: list[str]) -> int:
    """How many of the last parts two paths have in common."""
    pairs = zip(reversed(one), reversed(other), strict=False)
    return next(
        (i for i, (a, b) in enumerate(pairs) if a != b),
        min(len(one), len(other)),
    )


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix('').as_posix()
