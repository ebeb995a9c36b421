"""COCO's instance files: images with objects, read as videos of one frame."""

from pathlib import Path
from typing import Any

from mmvseg.errors import UserError


def is_coco(content: Any) -> bool:
    """Whether the content of an annotation file looks like COCO's rather than YouTube-VIS's."""
    return isinstance(content, dict) and 'images' in content and 'videos' not in content


def coco_as_videos(content: Any, path: str | Path) -> dict:
    """The content of a COCO instance file in the YouTube-VIS form, every image a video.

    What is missing or broken in an entry stays so, for the reader of the YouTube-VIS form to find.

    Raises:
        UserError: if the content is not of COCO's form at all.
    """
    for key in ('images', 'annotations', 'categories'):
        if not isinstance(content, dict) or not isinstance(content.get(key), list):
            raise UserError(
                f"annotation file {path}: not a COCO instance file (no list '{key}'); use "
                'instances_train2017.json of the official annotations'
            )
    videos = [_with_lists(image, dict(file_names='file_name')) for image in content['images']]
    keys = dict(segmentations='segmentation', bboxes='bbox', areas='area')
    annotations = []
    for annotation in content['annotations']:
        entry = _with_lists(annotation, keys)
        if isinstance(entry, dict) and 'image_id' in entry:
            entry['video_id'] = entry['image_id']
        annotations.append(entry)
    return dict(videos=videos, annotations=annotations, categories=content['categories'])


def _with_lists(entry: Any, keys: dict[str, str]) -> Any:
    """An entry with values that are lists of one: ``keys`` are new names by old ones."""
    if not isinstance(entry, dict):
        return entry
    entry = dict(entry)
    for new, old in keys.items():
        if old in entry:
            entry[new] = [_outlines(entry.pop(old))]
    return entry


def _outlines(value: Any) -> Any:
    """A segmentation without what encloses nothing: outlines of two points beside others."""
    if not isinstance(value, list):
        return value
    closed = [part for part in value if not isinstance(part, list) or len(part) >= 6]
    return closed or value
