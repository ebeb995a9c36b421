"""The objects in one frame of a training clip."""

from dataclasses import dataclass, replace

import numpy as np

from .bit_masks import BitMasks


@dataclass(frozen=True)
class FrameAnnotations:
    """The objects in one frame.

    Attributes:
        bboxes: xyxy pixels, (n, 4) float32.
        labels: class indices, (n,) int64.
        coded: n masks (H, W), as bits that all transforms work on.
        instance_ids: the same in all frames of a clip for one object, (n,) int64.
    """

    bboxes: np.ndarray
    labels: np.ndarray
    coded: BitMasks
    instance_ids: np.ndarray

    @property
    def masks(self) -> np.ndarray:
        """The masks one by one, (n, H, W) uint8, made anew each time."""
        return self.coded.dense()

    def visible(self) -> 'FrameAnnotations':
        """Without the objects whose mask has no pixel."""
        keep = self.coded.are_visible()
        if keep.all():
            return self
        return FrameAnnotations(
            self.bboxes[keep], self.labels[keep], self.coded.select(keep), self.instance_ids[keep]
        )

    def with_masks(self, masks: BitMasks) -> 'FrameAnnotations':
        """The visible of the same objects with other masks, boxes measured on these."""
        shown = replace(self, coded=masks).visible()
        return replace(shown, bboxes=shown.coded.boxes())
