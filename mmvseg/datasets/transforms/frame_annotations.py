"""The objects in one frame of a training clip."""

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True)
class FrameAnnotations:
    """The objects in one frame.

    Attributes:
        bboxes: xyxy pixels, (n, 4) float32.
        labels: class indices, (n,) int64.
        masks: (n, H, W) uint8.
        instance_ids: the same in all frames of a clip for one object, (n,) int64.
    """

    bboxes: np.ndarray
    labels: np.ndarray
    masks: np.ndarray
    instance_ids: np.ndarray

    def visible(self) -> 'FrameAnnotations':
        """Without the objects whose mask has no pixel."""
        keep = self.masks.any((1, 2))
        if keep.all():
            return self
        return FrameAnnotations(*(getattr(self, field.name)[keep] for field in fields(self)))

    def with_masks(self, masks: np.ndarray) -> 'FrameAnnotations':
        """The visible of the same objects with other masks (n, H, W), boxes measured on these."""
        shown = FrameAnnotations(self.bboxes, self.labels, masks, self.instance_ids).visible()
        boxes = np.array([_box(mask) for mask in shown.masks], np.float32).reshape(-1, 4)
        return FrameAnnotations(boxes, shown.labels, shown.masks, shown.instance_ids)


def _box(mask: np.ndarray) -> tuple[int, int, int, int]:
    """xyxy box of a mask (H, W) that has a pixel."""
    x, y = np.flatnonzero(mask.any(0)), np.flatnonzero(mask.any(1))
    return x[0], y[0], x[-1] + 1, y[-1] + 1
