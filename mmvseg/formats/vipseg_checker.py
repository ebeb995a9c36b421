"""Finds every problem of a panoptic data set with a json: that, frames and segment maps.

The forms are those of VIPSeg and Cityscapes-VPS.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from mmvseg.errors import UserError, counted
from mmvseg.media.images import read_segment_map

from . import cityscapes_vps, vipseg
from .categories import Category
from .panoptic_records import Frame, Segment, Video
from .pictures import DeepFrames, bare_rule, frame_rule, outside_rule
from .problems import Level, Problem
from .segment_maps import Region, find_regions

#: Reader, and folder of the masks beside that of the frames.
PANOPTIC_FORMS = dict(
    vipseg=(vipseg, 'panomasksRGB'), cityscapes_vps=(cityscapes_vps, 'panoptic_video')
)
#: Some programs write boxes one pixel short.
_BOX_TOLERANCE = 1
_IDS_NAMED = 5


def check_vipseg(
    ann_file: str | Path,
    root: str | Path | None,
    masks: str | Path | None,
    on_start: Callable[[int], None],
    on_step: Callable[[], None],
    allow_outside_root: bool = False,
    form: str = 'vipseg',
) -> Iterator[Problem]:
    """Check a json and, video by video, its pictures.

    Args:
        ann_file: the json.
        root: folder of the videos' frames; None leaves frames and masks alone.
        masks: folder of the videos' masks; ``panomasksRGB`` beside ``root`` if None, or
            ``panoptic_video`` of Cityscapes-VPS.
        on_start: called with the number of videos.
        on_step: called after each video.
        allow_outside_root: whether links may lead out of both folders.
        form: ``vipseg`` or ``cityscapes_vps``.

    Raises:
        UserError: it is no json, or of another form.
    """
    file = str(ann_file)
    reader, usual_masks = PANOPTIC_FORMS[form]
    if root is not None:
        root, masks = Path(root), masks or Path(root).parent / usual_masks
    content = yield from reader.parse(reader.load_content(ann_file), file, masks or '')
    on_start(len(content.videos))
    categories = {category.id: category for category in content.categories}
    deep = DeepFrames()
    with ThreadPoolExecutor() as pool:
        for name, video in content.videos.items():
            yield from segment_flaws(video, categories, file)
            if root is not None:
                inside = (None, None) if allow_outside_root else (root, Path(masks))
                check = partial(_picture_problems, file, name, inside, deep)
                paths = video.frame_paths(root)
                for problems in pool.map(
                    lambda path, frame, check=check: [*check(path, frame)], paths, video.frames
                ):
                    yield from problems
            on_step()
    yield from deep.note(file)


def segment_flaws(video: Video, categories: dict[int, Category], file: str) -> Iterator[Problem]:
    """What contradicts itself in the segments of a video.

    Args:
        video: as the json has it.
        categories: of the file, by id.
        file: the json, for messages.
    """
    class_of: dict[int, int] = {}
    crowd_of: dict[int, int] = {}
    id_of_stuff: dict[int, int] = {}
    told: set[tuple[int, int]] = set()  # second ids of stuff classes
    for frame in video.frames:
        for segment in frame.segments:
            number, category = segment.id, segment.category_id
            where = dict(video=video.name, frame=frame.index, segment=number, level=Level.FLAW)
            if category != (before := class_of.setdefault(number, category)):
                rule = f'{category}, but {before} in earlier frames'
                yield Problem(file, 'category_id', rule, **where)
            if segment.iscrowd != (before := crowd_of.setdefault(number, segment.iscrowd)):
                rule = f'{segment.iscrowd:d}, but {before:d} in earlier frames'
                yield Problem(file, 'iscrowd', rule, **where)
            if category not in categories:
                continue
            is_thing = categories[category].is_thing
            if segment.isthing not in (None, is_thing):
                rule = f'{segment.isthing:d}, but {is_thing:d} in category {category}'
                yield Problem(file, 'isthing', rule, **where)
            if is_thing:
                continue
            before = id_of_stuff.setdefault(category, number)
            if number != before and (category, number) not in told:
                told.add((category, number))
                rule = f'stuff class {category} has the id {before} too; it needs a single one'
                yield Problem(file, 'id', rule, **where)


def _picture_problems(
    file: str,
    video: str,
    inside: tuple[Path | None, Path | None],
    deep: DeepFrames,
    picture: str,
    frame: Frame,
) -> Iterator[Problem]:
    """Compare a frame, its picture and its segment map, with what the json says.

    ``inside`` are the folders that no link to a picture and to a map may leave.
    """
    where = dict(video=video, frame=frame.index)
    size = frame.image.height, frame.image.width
    if rule := frame_rule(Path(picture), size, root=inside[0], deep=deep):
        yield Problem(picture, 'frame', rule, **where)
    if frame.mask is None:
        return
    path = frame.mask
    if rule := outside_rule(path, inside[1]):
        yield Problem(str(path), 'mask', rule, **where)
        return
    try:
        regions = find_regions(read_segment_map(path, size))
    except UserError as error:
        yield Problem(str(path), 'mask', bare_rule(error, path), **where)
        return
    where['level'] = Level.FLAW
    unlisted = sorted(regions.keys() - {0} - {segment.id for segment in frame.segments})
    if unlisted and frame.complete:
        ids = ', '.join(
            f'{i} ({counted(regions[i].area, "pixels")})' for i in unlisted[:_IDS_NAMED]
        )
        more = f' and {len(unlisted) - _IDS_NAMED} more' if unlisted[_IDS_NAMED:] else ''
        rule = f'ids that the json does not list: {ids}{more}; the official VPQ takes such '
        yield Problem(str(path), 'mask', f'{rule}pixels for labelled', **where)
    for segment in frame.segments:
        for field, rule in _segment_rules(segment, regions.get(segment.id), path):
            yield Problem(file, field, rule, segment=segment.id, **where)


def _segment_rules(
    segment: Segment, region: Region | None, path: Path
) -> Iterator[tuple[str, str]]:
    if region is None:
        yield 'segments_info', f'no pixel of {path} has this id'
        return
    if segment.area != region.area:
        believed = 'the official VPQ believes the json'
        yield 'area', f'{segment.area:.10g}, but the mask has {region.area} ({believed})'
    if segment.bbox is not None and any(
        abs(given - true) > _BOX_TOLERANCE
        for given, true in zip(segment.bbox, region.box, strict=True)
    ):
        box = ', '.join(f'{value:.10g}' for value in segment.bbox)
        yield 'bbox', f'[{box}], but in the mask it is {region.box}'
