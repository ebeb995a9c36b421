"""The json files of SA-V, see :mod:`.sam`."""

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from mmvseg.errors import UserError, counted
from mmvseg.formats.json_files import decode_json
from mmvseg.formats.rle import MalformedRLE, RunLengthCode, rle_areas, to_rle

from .footage import Footage
from .frame_numbers import number_in
from .mask_layout import joined
from .records import Frame, LabelledVideo
from .report import ImportReport
from .sources import Source, SourceFile
from .video_builder import VideoBuilder

_MANUAL, _AUTO = '_manual', '_auto'
#: Of the files of a source, so many are looked into, and so much of each.
_LOOKED_INTO, _LOOKED_AT = 5, 2**12
#: Frames of the video a frame of the masks.
STEP = 4


class Code(Struct, gc=False):
    """A mask as the lengths of its runs, compressed to a text or as they are."""

    size: tuple[float, float]
    counts: str | list[int]


class Masklets(Struct):
    """A file: the codes of all objects in each frame. Numbers may be written as floats."""

    video_height: float
    video_width: float
    masklet: list[list[Code | None]]
    masklet_id: list[float] | None = None


def recognises(source: Source) -> bool:
    """Whether one of the first files of the names begins as those of SA-V do."""
    return any(map(_begins_as_masklets, _files(source)[:_LOOKED_INTO]))


def masklet_files(source: Source, report: ImportReport) -> list[tuple[str, SourceFile]]:
    """Names of the videos, each with the file to read."""
    files: dict[str, dict[bool, list[SourceFile]]] = {}
    for file in _files(source):
        kinds = files.setdefault(file.stem.removesuffix(_MANUAL).removesuffix(_AUTO), {})
        kinds.setdefault(file.stem.endswith(_AUTO), []).append(file)
    if both := sum(len(kinds) > 1 for kinds in files.values()):
        report.note(
            f'of {counted(both, "videos")}, the manual masklets are read; for the automatic ones '
            'give their file, or a folder that has no others'
        )
    return [(name, file) for name, kinds in files.items() for file in kinds[min(kinds)]]


def _files(source: Source) -> list[SourceFile]:
    return [file for file in source.of('.json') if file.stem.endswith((_MANUAL, _AUTO))]


def _begins_as_masklets(file: SourceFile) -> bool:
    with file.open() as stream:
        start = stream.read(_LOOKED_AT)
    return b'"video_' in start or b'"masklet' in start


def read_video(
    name: str, file: SourceFile, label: str, footage: Footage, report: ImportReport
) -> LabelledVideo | None:
    """Read a file.

    Args:
        name: of the video.
        file: it.
        label: class of all objects.
        footage: pictures and videos.
        report: is told what is broken.

    Raises:
        UserError: something is broken and is not left out.
    """
    frames = content = None
    with report.guard(video=name):
        content = _content(file)
        frames = _frames([joined(file.folder, name), name], len(content.masklet), footage)
        size = footage.size(frames) or (round(content.video_height), round(content.video_width))
    if content is None or frames is None:
        return None
    if twice := _there_twice(content.masklet_id or ()):
        report.bad(file, 'two objects have this masklet_id', video=name, track=round(twice[0]))
        return None
    builder = VideoBuilder(name, size, frames, report, file)
    for place, codes in enumerate(content.masklet):
        tracks = content.masklet_id or range(len(codes))
        if len(codes) != len(tracks):
            rule = f'{counted(len(codes), "masks")} of {counted(len(tracks), "objects")}'
            report.bad(file, rule, video=name, frame=place)
            continue
        for track, code in zip(tracks, codes, strict=True):
            if code is None:
                continue
            try:
                size = [round(side) for side in code.size]
                rle = to_rle(RunLengthCode(size, code.counts), size)
                rle_areas([rle])
            except (ValueError, MalformedRLE) as error:
                report.bad(file, str(error), video=name, track=round(track), frame=place)
            else:
                builder.add(str(round(track)), label, place, rle)
    return builder.video()


def _there_twice(ids: Sequence[float]) -> list[float]:
    rounded = Counter(map(round, ids))
    return [id_ for id_ in ids if rounded[round(id_)] > 1]


def _content(file: SourceFile) -> Masklets:
    try:
        return decode_json(file.read_bytes(), file, Masklets)
    except msgspec.ValidationError as error:
        raise UserError(
            f'{file}: {error}; a file of SA-V has video_height, video_width, masklet (of each '
            'frame a list of run-length codes) and masklet_id'
        ) from error


def _frames(names: list[str], count: int, footage: Footage) -> list[Frame]:
    """The frames that have masks, ``count`` of them.

    Raises:
        UserError: the video or its pictures are others.
    """
    wanted = [STEP * place for place in range(count)]
    frames = footage.frames(*names)
    if frames is None:
        return [Frame(f'{number:05d}.jpg') for number in wanted]
    if frames[0].picture is None:
        if wanted and wanted[-1] >= len(frames):
            raise UserError(
                f'{frames[0].video}: has {counted(len(frames), "frames")}, masks are of every '
                f'fourth up to {wanted[-1]}; give the video at its full rate'
            )
        return [Frame(f'{n:05d}.jpg', video=frames[n].video, index=n) for n in wanted]
    numbers = {number_in(frame.name.rpartition('.')[0]): frame for frame in frames}
    if numbers.keys() >= {*wanted}:
        return [numbers[number] for number in wanted]
    if len(frames) == count:
        return frames
    if len(frames) > wanted[-1]:
        return [frames[number] for number in wanted]
    raise UserError(
        f'{frames[0].picture}: there are {counted(len(frames), "pictures")}, and masks of {count} '
        'frames; give all frames, or every fourth'
    )
