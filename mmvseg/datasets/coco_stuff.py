"""COCO-Stuff, the class of each pixel of COCO's images, as released."""

from typing import Any

from mmdet.datasets import CocoSegDataset

from mmvseg.registry import DATASETS

#: pixel value without a class
UNLABELLED = 255

# A pixel holds COCO's category id - 1. These ids of things were planned but never annotated.
_UNUSED_IDS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83, 91)


@DATASETS.register_module()
class CocoStuffDataset(CocoSegDataset):
    """mmdet's COCO semantics (171 classes), which needs converted maps, on the released ones.

    Pixels of classes that ``metainfo`` leaves out have no class. Images come in order of their
    names, not of the file system, so that all processes agree.
    """

    def load_data_list(self) -> list[dict[str, Any]]:
        """Images and maps by path, with the class index of each pixel value."""
        values = [category - 1 for category in range(1, 183) if category not in _UNUSED_IDS]
        indices = {name: index for index, name in enumerate(self.metainfo['classes'])}
        label_map = {
            value: indices.get(name, UNLABELLED)
            for value, name in zip(values, self.METAINFO['classes'], strict=True)
        }
        entries = [dict(entry, label_map=label_map) for entry in super().load_data_list()]
        return sorted(entries, key=lambda entry: entry['img_path'])
