"""What can be exported, brought to one form: annotations, results, tracks of one video."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmvseg.errors import UserError, counted
from mmvseg.formats.categories import Category
from mmvseg.formats.label_exports.options import Export
from mmvseg.formats.labels.footage import opened
from mmvseg.formats.labels.records import Frame, LabelClass, LabelledObject, LabelledVideo
from mmvseg.formats.labels.sources import SourceFile
from mmvseg.formats.pictures import ALLOW_OUTSIDE, refuse_outside
from mmvseg.formats.predicted_tracks import PredictedTrack, read_predicted_tracks
from mmvseg.formats.tracks import Annotation
from mmvseg.formats.youtube_vis import Video, YouTubeVIS, outside_problems, read_youtube_vis
from mmvseg.formats.youtube_vis_results import Result, check_fit, read_results
from mmvseg.media.frame_files import frames_of_folder
from mmvseg.media.images import read_image_size
from mmvseg.media.names import is_video_name

from .export_drafts import DraftChoice, choose_drafts
from .import_names import FolderNames

_SPACE = b' \t\r\n'
_BOM = b'\xef\xbb\xbf'


@dataclass
class FrameRoot:
    """Where the frames are.

    Attributes:
        path: their folder, or the video file of tracks; None if it is not known.
        allow_outside: whether names and links may lead out of it.
    """

    path: Path | None = None
    allow_outside: bool = False


@dataclass
class ToExport:
    """An export, and what is told of it.

    Attributes:
        export: what is written.
        objects: number of objects by class.
        frames: number of frames.
        left_out: a line for each reason why results are left out.
    """

    export: Export
    objects: dict[str, int] = field(default_factory=dict)
    frames: int = 0
    left_out: list[str] = field(default_factory=list)


def read_to_export(
    path: Path, ann: Path | None, frames: FrameRoot, choice: DraftChoice | None
) -> ToExport:
    """Read annotations or results.

    Args:
        path: an annotation file, a ``results.json`` or what ``mmvseg predict --json`` wrote.
        ann: the annotation file that a ``results.json`` belongs to.
        frames: where the frames are.
        choice: which results become drafts; None: the usual ones.

    Raises:
        UserError: a file is not what it should be, a frame is missing, or a choice is made where
            there is nothing to choose.
    """
    if ann is not None:
        return _official_results(path, ann, frames, choice or DraftChoice())
    if _is_list(path):
        return _tracks(path, frames, choice or DraftChoice())
    if choice is not None:
        raise UserError(
            f'{path}: is an annotation file; --min-score and --max-overlap are for results'
        )
    return _annotations(path, frames)


def _is_list(path: Path) -> bool:
    try:
        with path.open('rb') as file:
            start = file.read(4096)
    except OSError as error:
        raise UserError(f'{path}: cannot be read ({error.strerror or error})') from error
    return start.removeprefix(_BOM).lstrip(_SPACE).startswith(b'[')


def _annotations(path: Path, frames: FrameRoot) -> ToExport:
    file = read_youtube_vis(path)
    if not file.has_annotations:
        raise UserError(f'{path}: annotates nothing; to export results, give them and --ann {path}')
    names = {category.id: category.name for category in file.categories}
    objects = defaultdict(list)
    left_out = []
    for annotation in file.annotations:
        if annotation.category_id in names and annotation.video_id in file.videos:
            labelled = _annotated(annotation, names[annotation.category_id])
            objects[annotation.video_id].append(labelled)
        else:
            places = f'category {annotation.category_id}, video {annotation.video_id}'
            left_out.append(f'annotation {annotation.id}: {places}: the file does not list both')
    return _to_export(file, objects, frames, left_out)


def _annotated(annotation: Annotation, label: str) -> LabelledObject:
    rles = _without_empty(annotation.rles, annotation.mask_areas)
    return LabelledObject(str(annotation.id), label, rles, annotation.is_crowd)


def _without_empty(rles: Sequence[dict | None], areas: Iterable[int]) -> list[dict | None]:
    return [rle if area else None for rle, area in zip(rles, areas, strict=True)]


def _official_results(path: Path, ann: Path, frames: FrameRoot, choice: DraftChoice) -> ToExport:
    file = read_youtube_vis(ann, with_annotations=False)
    names = {category.id: category.name for category in file.categories}
    by_video: dict[int, list[Result]] = {video_id: [] for video_id in file.videos}
    for result in read_results(path):
        check_fit(result, file, str(path))
        by_video[result.video_id].append(result)
    drafts, left_out = choose_drafts(by_video, choice)
    objects = {
        video_id: [
            _predicted(number, result, names[result.category_id])
            for number, result in enumerate(results, start=1)
        ]
        for video_id, results in drafts.items()
    }
    return _to_export(file, objects, frames, left_out)


def _predicted(number: int, result: Result, label: str) -> LabelledObject:
    rles = _without_empty(result.rles, result.mask_areas)
    return LabelledObject(str(number), label, rles, extra=dict(score=result.score))


def _to_export(
    file: YouTubeVIS,
    objects: dict[int, list[LabelledObject]],
    frames: FrameRoot,
    left_out: Sequence[str] = (),
) -> ToExport:
    if not frames.allow_outside and (problem := next(outside_problems(file), None)):
        raise UserError(f'{problem}{ALLOW_OUTSIDE}')
    folders = FolderNames()
    videos = [
        LabelledVideo(
            folders.take(video.name),
            video.height,
            video.width,
            _frames(video, frames),
            [labelled for labelled in objects.get(video.id, ()) if any(labelled.rles)],
        )
        for video in file.videos.values()
    ]
    classes = [_label_class(category) for category in file.categories]
    return _counted(classes, videos, left_out)


def _label_class(category: Category) -> LabelClass:
    return LabelClass(category.name, category.id)


def _counted(
    classes: list[LabelClass], videos: list[LabelledVideo], left_out: Sequence[str]
) -> ToExport:
    objects = dict.fromkeys((c.name for c in classes), 0)
    for video in videos:
        for labelled in video.objects:
            objects[labelled.label] += 1
    export = Export(classes, iter(videos), len(videos))
    return ToExport(export, objects, sum(len(video.frames) for video in videos), list(left_out))


def _frames(video: Video, at: FrameRoot) -> list[Frame]:
    names = [name.replace('\\', '/') for name in video.file_names]
    bases = [name.rpartition('/')[2] for name in names]
    if len(set(bases)) < len(bases):  # of several folders
        bases = [name.replace('/', '_') for name in names]
    if at.path is None:
        return [Frame(base, index=index) for index, base in enumerate(bases)]
    paths = [at.path / name for name in video.file_names]
    missing = next((path for path in paths if not path.is_file()), None)
    if missing is not None:
        raise UserError(f'video {video.name}: {missing}: no such frame; check --root')
    if not at.allow_outside:
        refuse_outside(paths, at.path, video.name)
    return [
        Frame(base, SourceFile(name, path), index=index)
        for index, (base, name, path) in enumerate(zip(bases, names, paths, strict=True))
    ]


def _tracks(path: Path, at: FrameRoot, choice: DraftChoice) -> ToExport:
    tracks = read_predicted_tracks(path)
    names = {track.result.index: track for track in tracks}
    drafts, left_out = choose_drafts({0: [track.result for track in tracks]}, choice)
    objects = [
        _predicted(names[result.index].track_id, result, names[result.index].category)
        for result in drafts[0]
    ]
    frames, size = _track_frames(path, tracks, at.path)
    shown = [labelled for labelled in objects if any(labelled.rles)]
    video = LabelledVideo(FolderNames().take(path.stem), *size, frames, shown)
    classes = {track.result.category_id: track.category for track in tracks}
    return _counted(
        [LabelClass(name, id_) for id_, name in sorted(classes.items())], [video], left_out
    )


def _track_frames(
    path: Path, tracks: Sequence[PredictedTrack], root: Path | None
) -> tuple[list[Frame], tuple[int, int]]:
    """The frames of one video's tracks, and their height and width."""
    sizes = [rle['size'] for track in tracks for rle in track.result.rles if rle is not None]
    if not sizes:
        raise UserError(f'{path}: has no track with a mask; there is nothing to export')
    length, size = len(tracks[0].result.rles), tuple(sizes[0])
    if root is None:
        return [Frame(f'{i:06d}.jpg', index=i) for i in range(length)], size
    if is_video_name(root):
        video = SourceFile(root.name, root)
        shown = tuple(opened(video).size)
        frames = [Frame(f'{i:06d}.jpg', video=video, index=i) for i in range(length)]
    else:
        pictures, _ = frames_of_folder(root)
        shown = read_image_size(pictures[0])
        frames = [Frame(p.name, SourceFile(p.name, p), index=i) for i, p in enumerate(pictures)]
    if shown != size or len(frames) != length:
        raise UserError(
            f'{root}: {counted(len(frames), "frames")} of height and width {shown}, the tracks of '
            f'{path} have {length} of {size}; --root is the video that was segmented'
        )
    return frames, size
