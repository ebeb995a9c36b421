"""Label Studio: the export JSON of regions in pictures, and of boxes in videos.

Pictures lie in a folder a video; of uploaded ones, which have lost their folder, the name has to
say the video. Their regions are known over the frames by a number or text that somebody gave each
(``track_id``), or by their meta text. A region of a video is an object.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from mmvseg.errors import UserError, counted
from mmvseg.media.names import natural_key

from .footage import opened
from .labelstudio_pictures import UploadedPictures
from .labelstudio_regions import Region, picture_size, read_regions
from .labelstudio_shapes import BoxTrack, region_code
from .labelstudio_tasks import Task, read_tasks
from .options import ImportOptions
from .records import Frame, LabelledVideo, Labels, PendingVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

OPTIONS: frozenset[str] = frozenset()

#: So many files of json are looked at, and so many bytes of each.
_LOOKED_AT, _HEAD = 5, 2**16
_MARKS = (b'"result"', b'"was_cancelled"', b'"predictions"', b'"drafts"', b'"file_upload"')
_NO_TRACK = (
    'there are regions without a track_id; each is an object of one frame of its own. An object of '
    'several frames has the same per-region number in all of them (<Number name="track_id" '
    'perRegion="true" .../>), or the same meta text'
)
_META = 'regions are told apart by their meta text; those of one text are one object of a video'


def recognises(source: Source) -> bool:
    """Whether one of the first files of json is a list of tasks, or an export as JSON-MIN."""
    return any(map(_is_export, source.of('.json')[:_LOOKED_AT]))


def _is_export(file: SourceFile) -> bool:
    with file.open() as stream:
        head = stream.read(_HEAD).removeprefix(b'\xef\xbb\xbf').lstrip()
    is_full = b'"annotations"' in head and any(mark in head for mark in _MARKS)
    is_min = b'"annotation_id"' in head and b'"annotator"' in head
    return head.startswith(b'[') and (is_full or is_min)


def read(source: Source, options: ImportOptions, report: ImportReport) -> Labels:
    """See the package."""
    files = [file for file in source.of('.json') if _is_export(file)]
    if not files:
        raise UserError(f'{source.path}: no export of Label Studio (a json with a list of tasks)')
    tasks = [task for file in files for task in read_tasks(file, report)]
    return Labels(None, _videos(source, tasks, options, report))


@dataclass
class _Video:
    """The tasks of a video.

    Attributes:
        name: of the video.
        names: what its folder or file may be called, the most exact first.
        tasks: one of a video, or one for each of its pictures.
        pictures: finds its pictures, None where those of its folder are meant.
    """

    name: str
    names: list[str]
    tasks: list[Task]
    pictures: Callable[[], list[SourceFile]] | None = None


def _videos(
    source: Source, tasks: Sequence[Task], options: ImportOptions, report: ImportReport
) -> Iterator[PendingVideo]:
    for video in _grouped(source, tasks, options, report):
        read_video = _read_box_video if video.tasks[0].is_video else _read_pictures
        yield PendingVideo(video.name, partial(_guarded, read_video, video, options, report))


def _guarded(
    read_video: Callable[[_Video, ImportOptions, ImportReport], LabelledVideo],
    video: _Video,
    options: ImportOptions,
    report: ImportReport,
) -> LabelledVideo | None:
    with report.guard(video=video.name):
        return read_video(video, options, report)
    return None


def _grouped(
    source: Source, tasks: Sequence[Task], options: ImportOptions, report: ImportReport
) -> list[_Video]:
    """The videos that the tasks are of; folders that all of them lie in are no part of a name."""
    uploads = UploadedPictures(options.footage.given_frames or source)
    places = {id(t): _place(t) for t in tasks if t.is_video or t.project is None}
    shared = _shared(list(places.values()))
    videos: dict[tuple[str, ...], _Video] = {}
    result = []
    for task in tasks:
        place = places.get(id(task))
        if place is None:
            try:
                name, task.base = uploads.place(task.base, task.project)
            except ValueError as error:
                report.bad(task.file, f'{task.name}: {error}')
                continue
            video = _Video(name, [name], [], partial(uploads.of_video, name))
            place = ('', name)
        else:
            name = '/'.join(place[min(shared, len(place) - 1) :]) or source.name
            names = ['/'.join(place[start:]) for start in range(len(place))]
            video = _Video(name, [task.base, *names] if task.is_video else names, [])
        if task.is_video or place not in videos:
            videos[place] = video
            result.append(video)
        videos[place].tasks.append(task)
    return result


def _place(task: Task) -> tuple[str, ...]:
    return (*task.folder, task.base.rpartition('.')[0]) if task.is_video else task.folder


def _shared(places: Sequence[tuple[str, ...]]) -> int:
    """Number of first parts that all places have in common."""
    columns = zip(*places, strict=False) if places else ()
    return next(
        (i for i, parts in enumerate(columns) if len({*parts}) > 1),
        min(map(len, places), default=0),
    )


def _read_pictures(video: _Video, options: ImportOptions, report: ImportReport) -> LabelledVideo:
    pictures = video.pictures() if video.pictures else options.footage.pictures(*video.names)
    frames = {picture.base: Frame(picture.base, picture) for picture in pictures}
    stems = {picture.stem: picture.base for picture in pictures}
    labelled: dict[str, Task] = {}
    for task in video.tasks:
        base = task.base
        if base not in frames:
            base = stems.get(base.rpartition('.')[0], base)
        if base in labelled:
            report.bad(
                task.file,
                f'{task.name}: a second task of this picture',
                video=video.name,
                frame=base,
            )
            continue
        labelled[base] = task
        frames.setdefault(base, Frame(base))
    ordered = sorted(frames.values(), key=lambda frame: natural_key(frame.name))
    options.footage.check_given(video.name, ordered)
    if len(labelled) < len(ordered):
        rest = counted(len(ordered) - len(labelled), 'pictures')
        report.note(f'video {video.name}: {rest} without a task: frames without objects')
    builder = VideoBuilder(
        video.name, _size(labelled, ordered, video, options), ordered, report, video.tasks[0].file
    )
    for index, frame in enumerate(ordered):
        task = labelled.get(frame.name)
        if task is not None and task.results is not None:
            with report.guard(video=video.name, frame=index):
                _add_regions(builder, task, index)
    return builder.video()


def _size(
    labelled: dict[str, Task], frames: Sequence[Frame], video: _Video, options: ImportOptions
) -> tuple[int, int]:
    if (size := options.footage.size(frames)) is not None:
        return size
    for task in labelled.values():
        if task.results is not None and (size := picture_size(task.results, task.file)):
            return size
    raise options.footage.missing(video.name)


def _add_regions(builder: VideoBuilder, task: Task, frame: int) -> None:
    report, where = builder.report, dict(video=builder.name, frame=frame)
    for region in read_regions(task.results, task.file, report, **where):
        track = region.track
        if track is None:
            report.note(_NO_TRACK)
            track = f'{region.id} #{frame}'
        elif region.is_by_meta:
            report.note(_META)
        try:
            rle = region_code(region, builder.height, builder.width)
        except ValueError as error:
            rule = f'{task.name}: region {region.id}: {error}'
            report.bad(task.file, rule, track=track, **where)
            continue
        builder.add(track, region.label, frame, rle, file=task.file)


def _read_box_video(video: _Video, options: ImportOptions, report: ImportReport) -> LabelledVideo:
    (task,) = video.tasks
    frames = options.footage.frames(*video.names)
    size = options.footage.size(frames or ())
    if not frames or size is None:
        raise options.footage.missing(video.name)
    builder = VideoBuilder(video.name, size, frames, report, task.file)
    if task.results is not None:
        for region in read_regions(task.results, task.file, report, video=video.name):
            try:
                _add_box(builder, region, task)
            except ValueError as error:
                rule = f'{task.name}: region {region.id}: {error}'
                report.bad(task.file, rule, video=video.name, track=region.id)
    return builder.video()


def _add_box(builder: VideoBuilder, region: Region, task: Task) -> None:
    if region.kind != 'videorectangle':
        raise ValueError(f'a region of the type {region.kind} in a video')
    box, count = BoxTrack(region.value), len(builder.frames)
    builder.declare(region.id, region.label)
    if box.length is not None and box.length != count:
        _place_by_time(box, builder)
    for index, rle in list(box.codes(count, builder.height, builder.width)):
        builder.add(region.id, region.label, index, rle, file=task.file)


def _place_by_time(box: BoxTrack, builder: VideoBuilder) -> None:
    """The labelling page counts frames by a rate of its own; times are those of the video."""
    count, video = len(builder.frames), builder.frames[0].video
    differs = f'framesCount is {box.length}, the video has {counted(count, "frames")}'
    if video is None:
        raise ValueError(
            f'{differs}: the frame rate of the labelling page was not that of the video, or these '
            'are not its frames; with the video file (--video), frames are found by their times'
        )
    fps = float(opened(video).fps)
    box.place_by_time(fps, count)
    builder.report.note(
        f'video {builder.name}: {differs}: key frames are found by their times, at '
        f'{fps:g} frames a second'
    )
