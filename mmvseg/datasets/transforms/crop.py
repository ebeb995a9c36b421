"""A window of the picture instead of all of it: the crop of DVIS and DETR."""

from collections.abc import Sequence

import numpy as np
from mmcv.transforms import BaseTransform

from mmvseg.errors import UserError
from mmvseg.registry import TRANSFORMS

from .clip import ResizeClip, each_once, probability


@TRANSFORMS.register_module()
class CropClip(BaseTransform):
    """Sometimes resize a clip, then cut the same window out of all its frames.

    Height and width of the window are drawn uniformly and independently from ``size``, or from what
    of it fits into the frame; then its place. Objects that the window leaves out vanish from the
    frame's annotations; boxes are measured anew on the masks.

    Args:
        size: least and largest side of the window in pixels, both included.
        scale: of the :class:`ResizeClip` that comes first; None: the clip is cut as it is.
        prob: how often, 0..1.
        backend: of the ``ResizeClip``.
    """

    def __init__(
        self,
        size: Sequence[int],
        scale: Sequence[int] | Sequence[Sequence[int]] | None = None,
        prob: float = 0.5,
        backend: str = 'cv2',
    ) -> None:
        if len(size) != 2 or not 1 <= size[0] <= size[1]:
            raise UserError(f'CropClip(size={size}): the least and the largest side, in pixels')
        self.size = tuple(size)
        self.prob = probability('CropClip', prob)
        self.resize = ResizeClip(scale, backend=backend) if scale else None

    def draw(self, height: int, width: int) -> tuple[slice, slice]:
        """Rows and columns of a window in a frame of this size."""
        return self._draw_side(height), self._draw_side(width)

    def transform(self, results: dict) -> dict:
        """Crop ``imgs`` and ``frames``; sets ``img_shape``."""
        if np.random.random() >= self.prob:
            return results
        if self.resize is not None:
            results = self.resize.transform(results)
        rows, columns = self.draw(*results['img_shape'])
        results['imgs'] = each_once(lambda image: image[rows, columns], results['imgs'])
        results['img_shape'] = results['imgs'][0].shape[:2]
        if 'frames' in results:
            results['frames'] = each_once(
                lambda frame: frame.with_masks(frame.coded.cropped(rows, columns)),
                results['frames'],
            )
        return results

    def _draw_side(self, side: int) -> slice:
        least, largest = (min(limit, side) for limit in self.size)
        length = np.random.randint(least, largest + 1)
        start = np.random.randint(side - length + 1)
        return slice(start, start + length)
