"""COCO's images as videos of one frame, which become pseudo-clips when the frame is repeated.

Such clips, each repeat turned or cropped otherwise, are trained on jointly with videos (SeqFormer,
MinVIS, DVIS).
"""

from pathlib import Path
from typing import Any

from mmvseg.errors import UserError
from mmvseg.registry import DATASETS

from .categories import Category, load_coco_names, load_table
from .metainfo import to_metainfo
from .youtube_vis import TABLES, YouTubeVISDataset
from .youtube_vis_json import load_json, parse_categories, parse_videos


@DATASETS.register_module()
class CocoClipDataset(YouTubeVISDataset):
    """Images of COCO's instance annotations, for training beside videos.

    The official file is read as it is: its categories become those of the video data set, objects
    of other categories are left out, and images without an annotation that is left too. With
    ``clip=dict(num_frames=T, consecutive=True)`` an item is T times the image.

    Args:
        version: ``'2019'``, ``'2021'`` or ``'ovis'``: whose classes the objects get.
        **kwargs: see :class:`mmvseg.datasets.VideoDataset`.

    Example:
        >>> CocoClipDataset(  # doctest: +SKIP
        ...     version='2019',
        ...     data_root='data/coco/',
        ...     ann_file='annotations/instances_train2017.json',
        ...     data_prefix=dict(img='train2017'),
        ...     clip=dict(num_frames=5, consecutive=True),
        ... )
    """

    def __init__(self, *args, version: str | int, **kwargs) -> None:
        if version is None:
            raise UserError(
                "dataset CocoClipDataset: version names the data set whose classes COCO's "
                f'categories become; use one of {", ".join(TABLES)}'
            )
        super().__init__(*args, version=version, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file into records of videos of one frame."""
        content = coco_as_videos(load_json(self.ann_file), self.ann_file)
        classes = load_table(TABLES[self.version])
        self._metainfo.update(to_metainfo(classes))
        found = parse_categories(content, self.ann_file)
        labels = _labels(found, classes, load_coco_names(TABLES[self.version]), self.ann_file)
        records = parse_videos(content, self.ann_file, self.data_prefix['img'], labels)
        for record in records:
            for index, instance in enumerate(record['instances']):
                instance['id'] = index
        return records


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


def _labels(
    found: list[Category], classes: list[Category], names: dict[str, str], path: str | Path
) -> dict[int, int]:
    """Class index by COCO's category id."""
    ids = {category.name: category.id for category in found}
    if missing := [name for name in names if name not in ids]:
        raise UserError(
            f'annotation file {path}: has no categories named {", ".join(missing)}; use '
            'instances_train2017.json of the official annotations'
        )
    indices = {category.name: index for index, category in enumerate(classes)}
    return {ids[name]: indices[target] for name, target in names.items()}
