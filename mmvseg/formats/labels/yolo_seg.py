"""YOLO segmentation with tracks: a text for each picture, a line for each part of an object.

``labels/<picture>.txt`` beside ``images/<picture>.jpg``, in folders of splits or not, and
``data.yaml`` with the names of the classes; also what ultralytics' tracker writes for videos
(``runs/segment/track/labels``), whose number counts frames from 1. A video is what comes before the
last ``_`` and the number of a picture's name. A picture without a text is a frame without objects.
Lines of one id are parts of one object; holes cannot be told.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import partial

import yaml

from mmvseg.errors import UserError, counted, short
from mmvseg.media.names import natural_key

from .frame_names import split_frame_name
from .options import ImportOptions
from .records import Frame, LabelClass, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile, nfc
from .video_builder import VideoBuilder
from .yolo_lines import Line, line_code, read_line

OPTIONS = frozenset({'with_confidence'})

#: Names of folders that are splits of a data set, and not videos.
_SPLITS = frozenset({'train', 'training', 'val', 'valid', 'validation', 'test'})
_LOOKED_AT, _HEAD = 20, 4096
_NO_ID = (
    'there are lines without a track id (an even count of numbers after the class); each is an '
    'object of one frame of its own. If a line ends with confidence and id, give --with-confidence'
)


def recognises(source: Source) -> bool:
    """Whether a folder ``labels`` has a text whose first line is a class and a polygon."""
    for file in _label_files(source)[:_LOOKED_AT]:
        with file.open() as stream:
            words = stream.read(_HEAD).partition(b'\n')[0].split()
        if words:
            return len(words) >= 7 and all(map(_is_number, words[:7]))
    return False


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _label_files(source: Source) -> list[SourceFile]:
    """Texts below folders of the name labels, of which the source itself may be one."""
    texts = source.of('.txt')
    below = [text for text in texts if 'labels' in text.folder.split('/')]
    return below or (texts if source.name == 'labels' else [])


@dataclass
class _Video:
    """The texts and pictures of a video.

    Attributes:
        name: of the video.
        prefix: what names of its pictures have before the number.
        folder: of the pictures that belong to the folder of the texts.
        texts: by their names without suffix.
    """

    name: str
    prefix: str
    folder: str
    texts: dict[str, SourceFile] = field(default_factory=dict)


def _prefix(file: SourceFile) -> str:
    """The video of a picture or text by its name; without a number, it is one of its own."""
    split = split_frame_name(file.base)
    return file.stem if split is None else split[0]


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    classes = _classes(source)
    videos = _grouped(source)
    if not videos:
        raise UserError(f'{source.path}: no labels/*.txt; give the folder that has labels in it')
    _note_unlabelled(source, {video.folder for video in videos}, report)
    names = {c.id: c.name for c in classes}
    reader = partial(_read_video, source=source, names=names, options=options, report=report)
    return Labels(classes, (PendingVideo(v.name, partial(reader, v)) for v in videos))


def _classes(source: Source) -> list[LabelClass]:
    """The names in the only yaml that has some."""
    found: dict[SourceFile, list[LabelClass]] = {}
    for file in source.of('.yaml', '.yml'):
        try:
            content = yaml.safe_load(file.read_bytes())
        except (yaml.YAMLError, UnicodeError, RecursionError, ValueError) as error:
            raise UserError(f'{file}: not valid yaml ({short(str(error))})') from error
        names = content.get('names') if isinstance(content, dict) else None
        if names is not None:
            found[file] = _numbered(names, file)
    different = [*found.values()]
    if not found:
        raise UserError(
            f'{source.path}: no data.yaml with names, so that the numbers of classes mean nothing; '
            'write one (names: {0: cup, 1: spoon}) into this folder'
        )
    if any(classes != different[0] for classes in different):
        raise UserError(f'{" and ".join(map(str, found))}: different names; leave one of them')
    return different[0]


def _numbered(names: object, file: SourceFile) -> list[LabelClass]:
    pairs = list(enumerate(names)) if isinstance(names, list) else names
    pairs = list(pairs.items()) if isinstance(pairs, dict) else pairs
    if not isinstance(pairs, list) or not pairs:
        raise UserError(f'{file}: names must be a list, or {{0: name, 1: name}}')
    pairs = [(int(n) if str(n).isdecimal() else n, name) for n, name in pairs]
    for number, name in pairs:
        if not isinstance(number, int) or isinstance(number, bool) or not isinstance(name, str):
            raise UserError(
                f'{file}: names: {number}: {name!r}: must be a number and a text (in quotes if it '
                'could be something else)'
            )
    classes = [LabelClass(nfc(name), number) for number, name in pairs]
    if len({c.name for c in classes}) < len(classes):
        raise UserError(f'{file}: names: two classes of one name')
    return classes


def _grouped(source: Source) -> list[_Video]:
    """The videos of all folders of texts, and of the folders of pictures that belong to them."""
    texts: dict[str, list[SourceFile]] = {}
    for file in _label_files(source):
        texts.setdefault(file.folder, []).append(file)
    videos = []
    for folder, files in texts.items():
        pictures = _picture_folder(source, folder)
        prefixes = dict.fromkeys(map(_prefix, (*source.pictures(pictures), *files)))
        above, below = _around_labels(folder)
        found = {}
        for prefix in prefixes:
            names = [below] if len(prefixes) == 1 and below else [below, prefix]
            name = '/'.join(filter(None, names)) or above or source.name
            found[prefix] = _Video(name, prefix, pictures)
        for file in files:
            found[_prefix(file)].texts[file.stem] = file
        videos += found.values()
    return sorted(videos, key=lambda video: [natural_key(p) for p in video.name.split('/')])


def _note_unlabelled(source: Source, folders: Collection[str], report: ImportReport) -> None:
    there = [folder for folder in source.picture_folders() if 'images' in folder.split('/')]
    if rest := [folder for folder in there if folder not in folders]:
        report.note(
            f'{source.path}: {counted(len(rest), "folders")} of pictures without one of labels: '
            f'left out ({short(", ".join(rest))})'
        )


def _around_labels(folder: str) -> tuple[str, str]:
    """The folders above and below the last ``labels`` of a path, without those of splits."""
    parts = folder.split('/') if folder else []
    last = len(parts) - 1 - parts[::-1].index('labels') if 'labels' in parts else -1
    above, below = parts[: max(last, 0)], parts[last + 1 :]
    return tuple('/'.join(p for p in side if p not in _SPLITS) for side in (above, below))


def _picture_folder(source: Source, folder: str) -> str:
    """The folder of pictures beside a folder of texts; that itself if they lie in it."""
    parts = folder.split('/')
    for place in range(len(parts) - 1, -1, -1):
        if parts[place] == 'labels':
            beside = '/'.join([*parts[:place], 'images', *parts[place + 1 :]])
            if source.pictures(beside):
                return beside
    return folder


def _read_video(
    video: _Video,
    source: Source,
    names: dict[int, str],
    options: ImportOptions,
    report: ImportReport,
) -> LabelledVideo | None:
    with report.guard(video=video.name):
        frames = _frames(video, source, options)
        size = options.footage.size(frames)
        if size is None:
            raise options.footage.missing(video.name)
        builder = VideoBuilder(video.name, size, frames, report, str(source.path))
        index_of = _Index(video, frames)
        for stem, text in sorted(video.texts.items(), key=lambda item: natural_key(item[0])):
            index = index_of(stem)
            if index is None:
                rule = f'the video has no frame of this name ({len(frames)} frames)'
                report.bad(text, rule, video=video.name, frame=stem)
                continue
            with report.guard(video=video.name, frame=index):
                _add_lines(builder, text, index, names, options.with_confidence)
        return builder.video()
    return None


class _Index:
    """Which frame of a video a text belongs to.

    Args:
        video: of the texts.
        frames: of the video.
    """

    def __init__(self, video: _Video, frames: list[Frame]) -> None:
        self._count, self._is_file = len(frames), frames[0].video is not None
        self._stems = {frame.name.rpartition('.')[0]: i for i, frame in enumerate(frames)}
        self._numbers = {
            split[1]: i
            for i, frame in enumerate(frames)
            if (split := split_frame_name(frame.name)) and split[0] == video.prefix
        }

    def __call__(self, stem: str) -> int | None:
        """The 0-based index of the frame, None if there is none."""
        split = split_frame_name(stem)
        if self._is_file:  # the tracker counts from 1
            return split[1] - 1 if split and 0 < split[1] <= self._count else None
        # numbers may have zeros before them in one name and not in the other
        return self._stems.get(stem, self._numbers.get(split[1]) if split else None)


def _frames(video: _Video, source: Source, options: ImportOptions) -> list[Frame]:
    """All frames of a video, in natural order."""
    footage = options.footage
    name = video.prefix or video.name.rpartition('/')[2]
    if footage.given_videos is not None and footage.given_frames is None:
        frames = footage.frames(name, video.name)
        if frames is None:
            raise footage.missing(video.name)
        return frames
    if footage.given_frames is not None:
        pictures = footage.pictures(video.name, name, shared=bool(video.prefix))
    else:
        pictures = source.pictures(video.folder)
    pictures = [picture for picture in pictures if _prefix(picture) == video.prefix]
    if not pictures:
        raise footage.missing(video.name)
    ordered = sorted(pictures, key=lambda picture: natural_key(picture.base))
    return [Frame(picture.base, picture) for picture in ordered]


def _add_lines(
    builder: VideoBuilder,
    text: SourceFile,
    frame: int,
    names: dict[int, str],
    with_confidence: bool,
) -> None:
    """Add what the lines of a text say of a frame."""
    try:
        lines = text.read_bytes().decode('utf-8-sig').splitlines()
    except UnicodeError as error:
        raise UserError(f'{text}: no text ({error})') from error
    for number, words in enumerate(lines, start=1):
        if not words.strip():
            continue
        where = dict(video=builder.name, frame=frame)
        try:
            line = read_line(words.split(), with_confidence)
            where['track'] = _track(line, frame, number)
            if line.label not in names:
                raise ValueError(f'class {line.label} is not in the names of data.yaml')
            rle = line_code(line, builder.height, builder.width)
        except ValueError as error:
            builder.report.bad(text, f'line {number}: {error}', **where)
            continue
        if line.track is None:
            builder.report.note(_NO_ID)
        builder.add(where['track'], names[line.label], frame, rle, file=text)


def _track(line: Line, frame: int, number: int) -> str:
    return f'line {number} #{frame}' if line.track is None else str(line.track)
