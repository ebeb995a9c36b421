"""What a layer of queries predicts for images, and what they have to find.

An image is a frame, or the frames of a clip stacked along the height: then a query stands for one
object in the whole clip (DVIS, section 3.3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from mmcv.ops import point_sample
from mmengine.dist import all_reduce
from torch import Tensor

from mmvseg.errors import NonFiniteError
from mmvseg.models.precision import full_precision
from mmvseg.ops import upload

#: Queries of an image and the objects that they have to find, both (n,).
Assignment = tuple[Tensor, Tensor]

#: Larger magnitudes than this mean divergence; below it, costs and losses cannot overflow.
LARGEST_SANE = 1e12
#: Pixels of masks that are made floating-point numbers at a time.
_PIXELS_AT_A_TIME = 2**22


@dataclass
class QueryPredictions:
    """Predictions of one layer for I images of F frames.

    Attributes:
        class_logits: the last column is "no object", (I, Q, K + 1).
        mask_embeds: their dot product with ``mask_features`` gives mask logits, (I, F, Q, C).
        mask_features: (I, F, C, h, w).
        made_on_demand: the features that masks are decoded from are made from ``mask_features``
            each time, so that only decoding shows whether they are finite.
    """

    made_on_demand: ClassVar[bool] = False

    class_logits: Tensor
    mask_embeds: Tensor
    mask_features: Tensor

    @property
    def num_images(self) -> int:
        """I."""
        return len(self.mask_embeds)

    @property
    def num_frames(self) -> int:
        """F, frames of an image."""
        return self.mask_embeds.shape[1]

    @property
    def num_queries(self) -> int:
        """Q."""
        return self.mask_embeds.shape[2]

    def mask_logits(self, image: int) -> Tensor:
        """Mask logits of all queries of an image before the sigmoid, never in half precision.

        Returns:
            Frames stacked along the height, (Q, F * h, w).
        """
        return self.decode(self.mask_embeds[image], self.mask_features[image])

    def selected_mask_logits(self, queries: Sequence[Tensor]) -> Tensor:
        """Mask logits of some queries of each image, (M, F * h, w), image after image.

        Args:
            queries: indices for each image, (n,) each; M in all.
        """
        # An index into all images would give each of them a gradient of the size of all.
        images = zip(self.mask_embeds.unbind(), self.mask_features.unbind(), queries, strict=True)
        return torch.cat(
            [self.decode(embeds[:, chosen], features) for embeds, features, chosen in images]
        )

    def decode(self, embeds: Tensor, features: Tensor) -> Tensor:
        """Mask logits (n, F * h, w) of embeddings (F, n, C) and features (F, C, h, w)."""
        with torch.autocast(embeds.device.type, enabled=False):
            masks = torch.einsum('fnc,fchw->nfhw', full_precision(embeds), full_precision(features))
        return masks.flatten(1, 2)


@dataclass
class MaskTargets:
    """The N objects of an image.

    Attributes:
        labels: class indices; K, "no object", is allowed, (N,).
        masks: frames stacked along the height, (N, F * H, W) uint8.
        visible: whether the object is in this image, (N,) bool, on the CPU.
    """

    labels: Tensor
    masks: Tensor
    visible: Tensor

    def select(self, objects: Tensor) -> 'MaskTargets':
        """Some of the objects, by indices (n,) on the CPU."""
        chosen = upload(objects, self.labels.device)
        return MaskTargets(self.labels[chosen], self.masks[chosen], self.visible[objects])


def sample_masks(masks: Tensor, points: Tensor) -> Tensor:
    """Values of masks at points between their pixels, some masks at a time to save memory.

    Args:
        masks: (N, H, W) uint8.
        points: xy, normalised to 0..1, (N, P, 2), or (1, P, 2) for all masks alike.

    Returns:
        Bilinear, 0..1, (N, P).
    """
    shared = len(points) == 1
    samples = points.new_zeros(len(masks), points.shape[1])
    step = max(1, _PIXELS_AT_A_TIME // max(1, masks.shape[1:].numel()))
    for start in range(0, len(masks), step):
        part = slice(start, start + step)
        values = masks[part].to(points.dtype)
        if shared:
            samples[part] = point_sample(values[None], points)[0]
        else:
            samples[part] = point_sample(values[:, None], points[part])[:, 0]
    return samples


@torch.no_grad()
def describe_divergence(layers: Sequence[QueryPredictions], videos: Sequence[str]) -> str | None:
    """Name the first predictions that are NaN, infinite or absurdly large; one device sync.

    Args:
        layers: first to last.
        videos: name of each image's video.
    """
    checked: dict[int, tuple[str, Tensor]] = {}
    for number, layer in enumerate(layers):
        where = f' of layer {number} (of {len(layers)}, from 0)' if len(layers) > 1 else ''
        parts = dict(
            mask_features=(layer.mask_features, ''),
            class_logits=(layer.class_logits, where),
            mask_embeds=(layer.mask_embeds, where),
        )
        for part, (tensor, of_layer) in parts.items():  # layers may share their mask features
            checked.setdefault(id(tensor), (part + of_layer, tensor))
    magnitudes = torch.stack([_largest(tensor) for _, tensor in checked.values()]).cpu()
    for (name, _), images in zip(checked.values(), magnitudes, strict=True):
        for video, magnitude in zip(videos, images.tolist(), strict=True):
            if not magnitude <= LARGEST_SANE:  # NaN compares as False
                return f'video {video!r}: {name} reach {magnitude}'
    return None


def require_finite_everywhere(layers: Sequence[QueryPredictions], videos: Sequence[str]) -> None:
    """Stop on all processes together if predictions have diverged on any.

    A process that stopped alone would leave the others waiting.

    Raises:
        NonFiniteError: naming the first that has, or that it is on another process.
    """
    problem = describe_divergence(layers, videos)
    troubled = torch.tensor(float(problem is not None), device=layers[0].mask_embeds.device)
    all_reduce(troubled)
    if troubled:
        raise NonFiniteError.diverged(problem or 'predictions of another process')


def _largest(tensor: Tensor) -> Tensor:
    """Largest magnitude in each image, NaN if there is one, (I,)."""
    rest = tuple(range(1, tensor.ndim))
    return torch.maximum(tensor.amax(rest), -tensor.amin(rest)).float()
