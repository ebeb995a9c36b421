"""COCO's images as videos of one frame, which become pseudo-clips when the frame is repeated.

Such clips, each repeat turned or cropped otherwise, are trained on jointly with videos (SeqFormer,
MinVIS, DVIS).
"""

from pathlib import Path

from mmvseg.errors import UserError
from mmvseg.formats.categories import Category, load_coco_names, load_table
from mmvseg.formats.coco import read_coco
from mmvseg.formats.problems import Flaws
from mmvseg.registry import DATASETS

from .metainfo import to_metainfo
from .tracks import report_training_set, to_records
from .youtube_vis import TABLES, YouTubeVISDataset

#: The data sets of videos that have classes which COCO's are trained as.
VERSIONS = ('2019', '2021', 'ovis')


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
        if version is None or str(version) in TABLES.keys() - {*VERSIONS}:
            raise UserError(
                "dataset CocoClipDataset: version names the data set whose classes COCO's "
                f'categories become; use one of {", ".join(VERSIONS)}'
            )
        super().__init__(*args, version=version, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Read the annotation file into records of videos of one frame."""
        flaws = Flaws()
        file = read_coco(self.ann_file, flaws)
        classes = load_table(TABLES[self.version])
        self._metainfo.update(to_metainfo(classes))
        names = load_coco_names(TABLES[self.version])
        labels = _labels(file.categories, classes, names, self.ann_file)
        records = to_records(file, self.data_prefix['img'], labels, self.allow_outside_root)
        for record in records:
            for index, instance in enumerate(record['instances']):
                instance['id'] = index
        report_training_set(records, file, flaws, self.min_size)
        return records


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
