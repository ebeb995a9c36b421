"""Box features from the level of the pyramid that fits the box (FPN paper, equation 1)."""

from collections.abc import Sequence

import torch
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor
from torch import Tensor

from mmvseg.compat import has_compiled_ops
from mmvseg.models.precision import full_precision
from mmvseg.registry import MODELS


@MODELS.register_module()
class FrameRoIExtractor(SingleRoIExtractor):
    """mmdet's ``SingleRoIExtractor`` for boxes that come ordered by frame, at least in float32.

    Half precision cannot tell pixels of a large frame apart, so box coordinates stay in float32
    under autocast. No gradient flows into the boxes.
    """

    def forward(self, feats: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """Pool the features of N frames.

        Args:
            feats: a map a level, (N, C, h, w).
            boxes: (N, n, 4) xyxy pixels of the network input; may leave the image.

        Returns:
            (N * n, C, size, size).
        """
        N, n, _ = boxes.shape
        boxes = full_precision(boxes.detach())
        frames = torch.arange(N, device=boxes.device, dtype=boxes.dtype).repeat_interleave(n)
        rois = torch.cat([frames.unsqueeze(1), boxes.flatten(0, 1)], dim=1)  # (N * n, 5)
        return self.pool(feats, rois)

    def pool(self, feats: Sequence[Tensor], rois: Tensor) -> Tensor:
        """Pool boxes given as (R, 5): frame index and xyxy; returns (R, C, size, size)."""
        # The clamp is for boxes turned inside out, whose area may be negative: NaN.
        levels = self.map_roi_levels(rois, len(feats)).clamp(0, len(feats) - 1)
        # One transfer; bincount would ask a GPU for the largest level before.
        numbers = torch.arange(len(feats), device=levels.device)
        counts = (levels == numbers[:, None]).sum(1).tolist()
        pooled = rois.new_empty(len(rois), *self.roi_layers[0].output_size, self.out_channels)
        pooled = pooled.permute(0, 3, 1, 2)  # (R, C, size, size), channels last
        with torch.autocast(rois.device.type, enabled=False):
            for layer, feat, chosen in zip(
                self.roi_layers, feats, levels.argsort().split(counts), strict=True
            ):
                if len(chosen) > 0:
                    pooled[chosen] = layer(_readable(full_precision(feat)), rois[chosen])
                elif torch.is_grad_enabled():
                    pooled[chosen] = self._nothing(feat)
        return pooled

    def _nothing(self, feat: Tensor) -> Tensor:
        """No boxes of a level, which stays in the graph all the same.

        Ranks of a distributed run must agree on which parameters receive gradients.
        """
        size = self.roi_layers[0].output_size
        return full_precision(feat[:0, :, :1, :1]).expand(0, self.out_channels, *size)


def _readable(feat: Tensor) -> Tensor:
    # mmcv's compiled operator reads any layout as (N, C, h, w); ours prefers channels last.
    return feat.contiguous() if has_compiled_ops() else feat
