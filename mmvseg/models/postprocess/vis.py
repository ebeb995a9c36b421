"""Video instance segmentation: from class scores and box-sized masks to run-length codes."""

import numpy as np
import torch
from pycocotools import mask as mask_utils
from torch import Tensor

#: Pixels of the masks that a GPU codes at a time, 4 bytes each and more: it has one launch, and the
#: CPU one wait, for all of them. A CPU is fastest with one mask in its cache.
CODED_PIXELS = 2**26


def select_top(scores: Tensor, max_per_video: int) -> tuple[Tensor, Tensor, Tensor]:
    """The best (query, class) pairs of a video; a query may appear under several classes.

    Args:
        scores: class probabilities of the queries over the whole video, (Q, K).
        max_per_video: number of pairs, fewer if Q * K is less.

    Returns:
        scores, query indices and class indices, (n,) each, by descending score.
    """
    num_classes = scores.shape[1]
    best, index = scores.flatten().topk(min(max_per_video, scores.numel()))
    return best, index // num_classes, index % num_classes


def paste_and_encode(
    probs: Tensor, boxes: Tensor, ori_shape: tuple[int, int], threshold: float = 0.5
) -> list[dict]:
    """Paste masks into frames of one size and run-length code them.

    Only the positions where a mask begins or ends leave the device, never a dense mask. A box
    beside the image gives an empty mask.

    Args:
        probs: mask probabilities inside the boxes, (n, h, w).
        boxes: (n, 4) xyxy, pixels of the original frame; may leave it.
        ori_shape: (H, W) of the original frame.
        threshold: a pixel with at least this probability is foreground; more than 0.

    Returns:
        n COCO run-length codes, ``dict(size=[H, W], counts=bytes)``.

    Example:
        >>> rle, = paste_and_encode(torch.ones(1, 28, 28), torch.tensor([[2., 3, 8, 9]]), (20, 30))
        >>> int(mask_utils.area(rle))
        36
    """
    if len(probs) == 0:
        return []
    step = masks_at_a_time(ori_shape, probs)
    return [
        rle
        for some_probs, some_boxes in zip(probs.split(step), boxes.split(step), strict=True)
        for rle in _encode(some_probs, some_boxes, ori_shape, threshold)
    ]


def masks_at_a_time(size: tuple[int, int], masks: Tensor) -> int:
    """How many masks become run-length codes together.

    Args:
        size: (H, W) of a frame.
        masks: they are where the work is done.
    """
    if not masks.is_cuda:
        return 1
    return max(1, CODED_PIXELS // (size[0] * size[1]))


def paste_masks(probs: Tensor, boxes: Tensor, ori_shape: tuple[int, int]) -> Tensor:
    """Mask probabilities in the original frame, dense; arguments as :func:`paste_and_encode`.

    Returns:
        (n, H, W), 0 outside the boxes.
    """
    return _paste_columns(probs, boxes, ori_shape[0], 0, ori_shape[1]).transpose(1, 2)


def _encode(
    probs: Tensor, boxes: Tensor, ori_shape: tuple[int, int], threshold: float
) -> list[dict]:
    """Run-length codes of masks that are pasted together."""
    height, width = ori_shape
    left, right = _columns(boxes, width)
    inside = _paste_columns(probs, boxes, height, left, right) >= threshold  # (n, columns, H)
    return encode_columns(inside, left, width)


def encode_columns(inside: Tensor, left: int, width: int) -> list[dict]:
    """Run-length code masks of which some image columns are given; the others are empty.

    Args:
        inside: whether a pixel belongs to the mask, bool, (n, columns, H).
        left: image column of the first.
        width: columns of the image.

    Returns:
        n COCO run-length codes, ``dict(size=[H, W], counts=bytes)``.
    """
    height = inside.shape[2]
    # Run-length codes go down the columns, so this is their order; runs end where it changes.
    outside = inside.new_zeros(len(inside), 1)
    padded = torch.cat([outside, inside.flatten(1), outside], dim=1)
    changes = padded[:, 1:] != padded[:, :-1]  # (n, columns * H + 1)
    # One axis: nonzero takes a quarter of the time that it needs for two.
    flat = torch.nonzero(changes.flatten()).squeeze(1).cpu().numpy()
    mask, position = np.divmod(flat, changes.shape[1])
    position += left * height
    ends = np.split(position, np.searchsorted(mask, np.arange(1, len(inside))))
    return [_rle(runs, height, width) for runs in ends]


def _rle(ends: np.ndarray, height: int, width: int) -> dict:
    """Code of the mask whose pixels, down the columns, change before the positions ``ends``."""
    area = height * width
    ends = ends if len(ends) and ends[-1] == area else np.append(ends, area)
    counts = np.diff(ends, prepend=0).tolist()
    return mask_utils.frPyObjects(dict(size=[height, width], counts=counts), height, width)


def _columns(boxes: Tensor, width: int) -> tuple[int, int]:
    """First and last (exclusive) image column that the boxes touch, with a margin of a pixel."""
    left = boxes[:, 0].min().clamp(0, width).floor() - 1
    right = boxes[:, 2].max().clamp(0, width).ceil() + 1
    left, right = torch.stack([left, right]).clamp(0, width).long().tolist()
    return left, max(left, right)


def _paste_columns(probs: Tensor, boxes: Tensor, height: int, left: int, right: int) -> Tensor:
    """Bilinear samples at the centres of the pixels of some image columns, (n, columns, H).

    The grid is regular, so interpolation is a product with one sparse matrix per axis.
    """
    with torch.autocast(probs.device.type, enabled=False):
        x_start, y_start, x_end, y_end = boxes.float().unbind(1)
        across = _axis_weights(x_start, x_end, left, right, probs.shape[2])  # (n, columns, w)
        down = _axis_weights(y_start, y_end, 0, height, probs.shape[1])  # (n, H, h)
        return across @ probs.float().transpose(1, 2) @ down.transpose(1, 2)


def _axis_weights(start: Tensor, end: Tensor, first: int, last: int, size: int) -> Tensor:
    """How much each of ``size`` samples between ``start`` and ``end`` counts at each pixel.

    Args:
        start: where the box begins on this axis, (n,).
        end: where it ends, (n,).
        first: first pixel.
        last: last pixel, exclusive.
        size: number of samples, half a sample away from the box's ends (``align_corners=False``).

    Returns:
        (n, last - first, size); 0 more than a pixel outside the box.
    """
    start, end = start.unsqueeze(1), end.unsqueeze(1)
    pixels = torch.arange(first, last, device=start.device)
    # Interpolation towards 0 reaches half a sample beyond the box; the published code cuts it.
    near = (pixels >= start.floor() - 1) & (pixels < end.ceil() + 1)  # (n, pixels)
    position = (pixels + 0.5 - start) / (end - start).clamp(min=1e-6) * size - 0.5
    samples = torch.arange(size, device=start.device)
    weights = (1 - (position.unsqueeze(2) - samples).abs()).clamp(min=0)
    return weights * near.unsqueeze(2)
