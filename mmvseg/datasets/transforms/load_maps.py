"""Clips whose annotations are maps: one number a pixel, in a PNG a frame."""

from abc import abstractmethod
from collections.abc import Mapping

import numpy as np

from mmvseg.errors import UserError
from mmvseg.formats.step import find_segments, read_step_map
from mmvseg.media.images import read_class_map, read_segment_map
from mmvseg.registry import TRANSFORMS

from .bit_masks import BitMasks
from .clip import LoadClip
from .frame_annotations import FrameAnnotations


class _LoadMapClip(LoadClip):
    """Makes the objects of a frame from a map."""

    def has_annotations(self, results: dict) -> bool:
        """Whether an item is of training."""
        return 'mask_paths' in results

    @abstractmethod
    def split(
        self, results: dict, index: int, size: tuple[int, int]
    ) -> tuple[np.ndarray, Mapping[int, int]]:
        """The map of the clip's frame number ``index``, and the label of each object id.

        Args:
            results: of the clip.
            index: which of its frames.
            size: height and width that the map must have.

        Raises:
            UserError: the map cannot be read or is of another size.
        """

    def load_annotations(self, results: dict, index: int, where: str) -> FrameAnnotations:
        """One mask for each id in the map that has a label."""
        try:
            ids, labels = self.split(results, index, (results['height'], results['width']))
        except UserError as error:
            raise UserError(f'{where}: {error}') from error
        shown = np.array(sorted(labels), np.int64)
        masks = BitMasks.from_map(ids, shown)
        return FrameAnnotations(
            bboxes=np.zeros((len(shown), 4), np.float32),
            labels=np.array([labels[i] for i in shown.tolist()], np.int64),
            coded=masks,
            instance_ids=shown,
        ).with_masks(masks)


@TRANSFORMS.register_module()
class LoadPanopticClip(_LoadMapClip):
    """Decode the frames of a clip and the masks of its segments, as of ``VIPSegDataset``."""

    def split(
        self, results: dict, index: int, size: tuple[int, int]
    ) -> tuple[np.ndarray, Mapping[int, int]]:
        """Segment ids, and the labels of those that the annotation file lists."""
        return read_segment_map(results['mask_paths'][index], size), results['segments'][index]


@TRANSFORMS.register_module()
class LoadSTEPClip(_LoadMapClip):
    """Decode the frames of a clip and the masks of its segments, as of ``STEPDataset``."""

    def split(
        self, results: dict, index: int, size: tuple[int, int]
    ) -> tuple[np.ndarray, Mapping[int, int]]:
        """Segment ids, and the labels of those that are no crowd."""
        path = results['mask_paths'][index]
        ids = read_step_map(path, size)
        segments = find_segments(ids, results['categories'], path, crowds=True)
        labels = results['labels']
        return ids, {s.id: labels[s.category_id] for s in segments if not s.iscrowd}


@TRANSFORMS.register_module()
class LoadSemanticClip(_LoadMapClip):
    """Decode the frames of a clip and one mask a class, as of ``VSPWDataset``.

    All pixels of a class are one object, whose id is the class index.
    """

    def split(
        self, results: dict, index: int, size: tuple[int, int]
    ) -> tuple[np.ndarray, Mapping[int, int]]:
        """Class indices, and the label of each: itself."""
        labels = results['value_labels'][read_class_map(results['mask_paths'][index], size)]
        found = np.bincount(labels[labels >= 0], minlength=1)
        return labels, {label: label for label in np.flatnonzero(found).tolist()}
