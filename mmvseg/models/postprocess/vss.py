"""Video semantic segmentation from class probabilities and mask logits of queries."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from mmvseg.structures import CodedMaps, VideoSemantic

from .mask_probabilities import probability_bands
from .query_masks import FrameGeometry


def classify_video(
    class_scores: Tensor, frames: Iterable[Tensor], geometry: FrameGeometry
) -> VideoSemantic:
    """The class of every pixel of a video; arguments as :func:`classify_pixels`, frame by frame."""
    return VideoSemantic(
        CodedMaps(classify_pixels(class_scores, mask_logits, geometry) for mask_logits in frames)
    )


def classify_pixels(
    class_scores: Tensor, mask_logits: Tensor, geometry: FrameGeometry
) -> np.ndarray:
    """The class of every pixel of a frame: that of the largest sum of score times probability.

    Args:
        class_scores: without "no object", (Q, K).
        mask_logits: of all queries, before the sigmoid, (Q, h, w).
        geometry: sizes of the frame.

    Returns:
        Class indices (H, W), uint8, or uint16 for more than 256 classes.
    """
    num_classes = class_scores.shape[1]
    dtype = torch.uint8 if num_classes <= 256 else torch.int32  # what leaves the device is small
    bands = []
    for probs in probability_bands(mask_logits, geometry, num_classes):
        with torch.autocast(probs.device.type, enabled=False):
            sums = class_scores.T @ probs.flatten(1)  # (K, rows * W)
        # Much faster on a CPU than argmax over the first axis.
        bands.append(sums.max(0).indices.view(probs.shape[1:]).to(dtype))
    return torch.cat(bands).cpu().numpy().astype(np.min_scalar_type(num_classes - 1))
