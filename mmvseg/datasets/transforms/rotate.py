"""Turning the frames of a pseudo-clip, so that a still picture moves (DVIS, COCO pseudo-videos)."""

from collections.abc import Sequence

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmvseg.errors import UserError
from mmvseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RotateClip(BaseTransform):
    """Turn each frame about one centre by angles that grow, or shrink, from frame to frame.

    Frames keep their size: corners are cut off, and what comes in is black. Objects that leave the
    frame vanish from its annotations; boxes are measured anew on the masks.

    Args:
        angle: frames turn by up to this many degrees, either way.
        centre: range of the centre, as a part of height and of width, 0..1.
    """

    def __init__(self, angle: float = 15.0, centre: Sequence[float] = (0.4, 0.6)) -> None:
        if len(centre) != 2 or not 0 <= centre[0] <= centre[1] <= 1:
            raise UserError(f'RotateClip(centre={centre}): two parts of the side, from 0 to 1')
        self.angle = angle
        self.centre = tuple(centre)

    def draw(self, num_frames: int) -> tuple[np.ndarray, np.ndarray]:
        """Angles in degrees, anticlockwise, (T,), and the centre, x and y as parts, (2,)."""
        angles = np.sort(np.random.uniform(-self.angle, self.angle, num_frames))
        if np.random.random() < 0.5:
            angles = angles[::-1]
        return angles, np.random.uniform(*self.centre, 2)

    def transform(self, results: dict) -> dict:
        """Turn ``imgs`` and ``frames``."""
        height, width = results['img_shape']
        angles, centre = self.draw(len(results['imgs']))
        # Pixel (x, y) covers the square from there to (x + 1, y + 1).
        point = (centre[0] * width - 0.5, centre[1] * height - 0.5)
        turns = [cv2.getRotationMatrix2D(point, angle, 1.0) for angle in angles]
        results['imgs'] = [
            cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_LINEAR)
            for image, turn in zip(results['imgs'], turns, strict=True)
        ]
        if 'frames' in results:
            results['frames'] = [
                annotations.with_masks(annotations.coded.warped(turn))
                for annotations, turn in zip(results['frames'], turns, strict=True)
            ]
        return results
