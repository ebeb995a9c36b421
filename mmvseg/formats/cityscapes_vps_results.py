"""Results in the layout of Cityscapes-VPS: ``pred.json`` and ``pan_pred/<picture's id>.png``.

They are of the labelled frames alone. The official script takes the entries of ``pred.json`` in the
order of the ground truth; here each has to say which picture it is of.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from msgspec import Raw, Struct, ValidationError

from mmvseg.errors import UserError

from .cityscapes_vps import LABEL_STEP, image_id
from .json_files import Text, decode_entries, decode_json, read_json_bytes
from .panoptic_records import File, PanopticSet, PredictedSegment, Video
from .problems import Findings, Problem, quoted, strictly
from .vipseg import read_segments


class PredictedImage(Struct):
    """An entry of ``annotations``."""

    segments_info: Raw
    image_id: Text | None = None
    file_name: File | None = None


class _Content(Struct):
    annotations: Raw


def load_results(
    folder: str | Path, truth: PanopticSet, videos: Mapping[str, Video] | None = None
) -> dict[str, Video]:
    """Read the list of predictions, ``FOLDER/pred.json``; the PNGs are in ``FOLDER/pan_pred``.

    Args:
        folder: folder of the predictions.
        truth: the file that they belong to.
        videos: which of its videos to read, by name; default those that are annotated.

    Returns:
        The videos with the predictions in place of the annotations. Pictures that are not labelled
        are left out.

    Raises:
        UserError: naming file, entry or picture, segment and field of what is missing or wrong.
    """
    path = Path(folder) / 'pred.json'
    videos = truth.annotated if videos is None else videos
    try:
        content = decode_json(read_json_bytes(path), path, _Content)
    except ValidationError:
        raise UserError(
            f"{path}: not a list of predictions (an object with the list 'annotations')"
        ) from None
    category_ids = {category.id for category in truth.categories}
    names = {frame.image.id for video in videos.values() for frame in video.frames}
    found = strictly(_read_results(content.annotations, str(path), names, category_ids), advice='')
    wanted = [frame.image for video in videos.values() for frame in video.frames]
    if missing := [image.file_name for image in wanted if image.id not in found]:
        raise UserError(
            f'{path}: {len(missing)} of {len(wanted)} labelled pictures of {truth.file} are '
            f'missing, the first is {missing[0]}; predict all frames and list every '
            f'{LABEL_STEP}th, which is labelled'
        )
    return {
        name: replace(
            video,
            frames=[
                replace(
                    frame,
                    mask=path.parent / 'pan_pred' / frame.map_name,
                    segments=found[frame.image.id],
                )
                for frame in video.frames
            ],
        )
        for name, video in videos.items()
    }


def _read_results(
    raw: Raw, file: str, names: set[str], category_ids: set[int]
) -> Findings[dict[str, list[PredictedSegment]]]:
    """The segments of each picture of ``names`` that is listed, by its id."""
    entries = yield from decode_entries(raw, PredictedImage, file, 'annotations', {})
    found: dict[str, list[PredictedSegment]] = {}
    for position, entry in enumerate(entries):
        field = f'annotations[{position}]'
        name = entry.image_id or (entry.file_name and image_id(entry.file_name))
        if name is None:
            rule = (
                'has neither image_id nor file_name: pictures are told by their names here, not by '
                'their order'
            )
            yield Problem(file, field, rule)
        elif entry.file_name and image_id(entry.file_name) != name:
            rule = f'image_id {quoted(name)}, but file_name {quoted(entry.file_name)}'
            yield Problem(file, field, rule)
        elif name in found:
            yield Problem(file, field, f'{quoted(name)} is listed twice')
        elif name in names:
            found[name] = yield from read_segments(
                entry.segments_info, PredictedSegment, category_ids, file, video=name
            )
    return found
