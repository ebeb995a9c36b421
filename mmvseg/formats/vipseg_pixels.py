"""Compares a frame of VIPSeg's form, its picture and its segment map, with what the json says."""

from dataclasses import dataclass, field
from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.media.images import read_segment_map

from .checker_parts import bare_rule, check_png, picture_size
from .problems import Problem
from .segment_maps import Region, find_regions
from .vipseg import frame_path

#: Some programs write boxes one pixel short.
_BOX_TOLERANCE = 1
_IDS_NAMED = 5


@dataclass
class FramePixels:
    """What the json says about the pixels of a frame.

    Attributes:
        frame: 0-based index.
        image: name of the frame's file; None if the json gives none.
        mask: name of the segment map's file; None if there is none.
        size: height and width; None if the json does not give them.
        segments: sound entries of ``segments_info`` by id.
        complete: whether all entries are sound, so that other ids are surely not listed.
    """

    frame: int
    image: str | None = None
    mask: str | None = None
    size: tuple[int, int] | None = None
    segments: dict[int, dict] = field(default_factory=dict)
    complete: bool = True


def check_pixels(
    expected: FramePixels, images: Path, masks: Path, video: str, file: str
) -> list[Problem]:
    """Read the picture and the segment map of a frame.

    Args:
        expected: what the json says.
        images: folder of the video's frames.
        masks: folder of the video's segment maps.
        video: id of the video, for messages.
        file: the json, for messages.
    """
    where = dict(video=video, frame=expected.frame)
    problems = []
    size, origin = expected.size, 'the json says'
    if expected.image is not None:
        path = frame_path(images, expected.image)
        try:
            found = picture_size(path)
            if size is None:
                size, origin = found, 'the frame has'
            elif found != size:
                rule = f'{_words(found)} pixels, the json says {_words(size)}'
                problems.append(Problem(str(path), 'frame', rule, **where))
        except UserError as error:
            problems.append(Problem(str(path), 'frame', str(error), **where))
    if expected.mask is not None:
        path = masks / expected.mask
        try:
            check_png(path, ['RGB 8 bit'], size, origin)
            regions = find_regions(read_segment_map(path))
        except UserError as error:
            problems.append(Problem(str(path), 'mask', bare_rule(error, path), **where))
        else:
            problems += _check_segments(expected, regions, path, video, file)
    return problems


def _check_segments(
    expected: FramePixels, regions: dict[int, Region], path: Path, video: str, file: str
) -> list[Problem]:
    where = dict(video=video, frame=expected.frame)
    problems = []
    unlisted = [i for i in regions if i and i not in expected.segments]
    if unlisted and expected.complete:
        ids = ', '.join(f'{i} ({regions[i].area} pixels)' for i in unlisted[:_IDS_NAMED])
        more = f' and {len(unlisted) - _IDS_NAMED} more' if len(unlisted) > _IDS_NAMED else ''
        rule = f'ids that the json does not list: {ids}{more}; the official VPQ takes such pixels'
        problems.append(Problem(str(path), 'mask', f'{rule} for labelled', **where))
    for segment_id, segment in expected.segments.items():
        region = regions.get(segment_id)
        for field_, rule in _segment_rules(segment, region, path):
            problems.append(Problem(file, field_, rule, segment=segment_id, **where))
    return problems


def _segment_rules(segment: dict, region: Region | None, path: Path) -> list[tuple[str, str]]:
    if region is None:
        return [('segments_info', f'no pixel of {path} has this id')]
    rules = []
    if segment['area'] != region.area:
        believed = 'the official VPQ believes the json'
        rules.append(('area', f'{segment["area"]}, but the mask has {region.area} ({believed})'))
    box = segment.get('bbox')
    if box is not None and any(
        abs(given - true) > _BOX_TOLERANCE for given, true in zip(box, region.box, strict=True)
    ):
        rules.append(('bbox', f'{box}, but in the mask it is {region.box}'))
    return rules


def _words(size: tuple[int, int]) -> str:
    return f'{size[0]} x {size[1]}'
