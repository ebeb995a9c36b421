"""Videos whose masks are PNGs in folders: a map of objects a frame, or a folder an object."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from mmvseg.errors import counted
from mmvseg.media.images import read_index_map

from .footage import Footage
from .frame_numbers import placed_masks
from .outlines import encode, value_masks
from .records import Frame, LabelledVideo
from .report import ImportReport
from .sources import SourceFile
from .video_builder import VideoBuilder

#: Value of pixels that are of no object for sure, and to be ignored.
VOID = 255


@dataclass
class MaskVideo:
    """The masks of a video.

    Attributes:
        name: of the video.
        path: of the folder of masks within the source.
        pictures: what the folder of its pictures may be called.
        masks: a PNG a frame, whose values are objects, and 255 void; or
        objects: the PNGs of each object, in which all values but 0 are it.
    """

    name: str
    path: str
    pictures: list[str]
    masks: list[SourceFile] = field(default_factory=list)
    objects: dict[str, list[SourceFile]] = field(default_factory=dict)

    def files(self) -> list[tuple[str | None, SourceFile]]:
        """All masks, each with its object if it is of one alone."""
        of_one = [(track, file) for track, files in self.objects.items() for file in files]
        return [*((None, file) for file in self.masks), *of_one]


def read_video(
    video: MaskVideo,
    classes: str | Mapping[str, str],
    footage: Footage,
    report: ImportReport,
    *,
    annotated_only: bool,
) -> LabelledVideo | None:
    """Read the masks of a video.

    Args:
        video: them.
        classes: class of all objects, or of each by its number without leading zeros.
        footage: pictures.
        report: is told what is broken.
        annotated_only: whether frames without a mask are no frames of the result; otherwise they
            are frames without an object.

    Raises:
        UserError: something is broken and is not left out.
    """
    files, size = video.files(), None
    masks = [file for _, file in files]
    with report.guard(video=video.name):
        frames, places = placed_masks(
            masks, footage.frames(*video.pictures), video.name, report, fill_gaps=False
        )
        annotated = sorted({*places} - {None})
        if annotated_only:
            frames = [frames[place] for place in annotated]
            places = [None if place is None else annotated.index(place) for place in places]
        elif _is_sparse(annotated, frames):
            report.bad(masks[0], _unannotated(len(annotated), len(frames)), video=video.name)
            return None
        size = footage.size(frames) or read_index_map(masks[0]).shape
    if size is None:
        return None
    builder = VideoBuilder(video.name, size, frames, report, masks[0])
    values: set[int] = set()
    for (track, file), place in zip(files, places, strict=True):
        if place is None:
            report.bad(file, 'there is no picture of this frame', video=video.name)
            continue
        with report.guard(video=video.name, track=track, frame=place):
            ids = read_index_map(file, size)
            if track is None:
                found = list(value_masks(ids))
                values.update(value for value, _ in found)
            else:
                found = [(track, encode(ids > 0))]
            _add(builder, found, classes, place, file)
    if values == {VOID}:
        rule = f'the only value is {VOID}, which is void; write a single object as 1'
        report.bad(masks[0], rule, video=video.name)
    return builder.video()


def _add(
    builder: VideoBuilder,
    found: Iterable[tuple[int | str, dict]],
    classes: str | Mapping[str, str],
    place: int,
    file: SourceFile,
) -> None:
    """Add what is found in a mask."""
    for track, rle in found:
        label = classes if isinstance(classes, str) else classes.get(str(track).lstrip('0'))
        if label is not None and (track != VOID or not isinstance(classes, str)):
            builder.add(str(track), label, place, rle, file=file)
        elif track == VOID:
            builder.report.ignore(f'void region (value {VOID})')
        else:
            rule = 'the object is not in meta.json'
            builder.report.bad(file, rule, video=builder.name, track=track, frame=place)


def _is_sparse(annotated: Sequence[int], frames: Sequence[Frame]) -> bool:
    """Whether only some frames were looked at: the first alone, or never two in a row.

    Where masks stand in a row, those that are missing are of frames without an object.
    """
    if len(annotated) == 1:
        return annotated[0] == 0 and (len(frames) > 1 or not frames[0].picture)
    return all(after - before > 1 for before, after in pairwise(annotated))


def _unannotated(annotated: int, frames: int) -> str:
    return (
        f'there are masks of {annotated} of {counted(frames, "frames")}, as in validation sets, '
        'which have those of the first frame alone, or of every fifth frame; the others are not '
        'annotated, rather than empty. Take a training set, or give --annotated-only for the '
        'frames that have masks'
    )
