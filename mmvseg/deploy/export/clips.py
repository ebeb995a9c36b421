"""TeViT's networks as modules of tensors alone, with RoIAlign as an operator of ONNX."""

from collections.abc import Sequence

import torch
from mmdet.structures.bbox import bbox_cxcywh_to_xyxy
from torch import Tensor, nn

from mmvseg.models.heads.roi_extractor import FrameRoIExtractor
from mmvseg.models.segmentors import TeViT

#: Of the pyramid, at strides 4, 8, 16 and 32.
MAPS = ('map4', 'map8', 'map16', 'map32')


class ClipQueries(nn.Module):
    """A clip through backbone, pyramid and box stages.

    Args:
        model: its RoI extractors must be traceable, see :func:`make_traceable`.
    """

    inputs = ('frames', 'image_size')
    outputs = ('class_logits', 'boxes', 'attn_feats', *MAPS)

    def __init__(self, model: TeViT) -> None:
        super().__init__()
        self.model = model

    def forward(self, frames: Tensor, image_size: Tensor) -> tuple[Tensor, ...]:
        """Find the objects of a clip.

        Args:
            frames: normalised and padded, (T, 3, H, W).
            image_size: height and width without padding, (2,) float32.

        Returns:
            Class logits (T, Q, K), boxes (T, Q, 4) xyxy in pixels of the input, attention features
            (T, Q, C) and the pyramid's maps (T, C, H / s, W / s).
        """
        model, T = self.model, frames.shape[0]
        feats = model.extract_feats(frames[None])
        relative = bbox_cxcywh_to_xyxy(model.rpn_head.init_proposal_bboxes.weight)  # (Q, 4)
        boxes = (relative * image_size.flip(0).repeat(2)).expand(T, -1, -1)
        queries = model.rpn_head.init_proposal_features.weight.expand(T, -1, -1)
        return (*model.roi_head.predict_queries(feats, boxes, queries, clip_length=T), *feats)


class ClipMasks(nn.Module):
    """Masks of chosen queries.

    Args:
        model: as of :class:`ClipQueries`.
    """

    inputs = (*MAPS, 'boxes', 'attn_feats', 'labels')
    outputs = ('mask_logits',)

    def __init__(self, model: TeViT) -> None:
        super().__init__()
        self.roi_head = model.roi_head

    def forward(self, *tensors: Tensor) -> Tensor:
        """Four maps, boxes (T, n, 4), features (T, n, C), labels (T, n) -> (T, n, 28, 28)."""
        *feats, boxes, attn_feats, labels = tensors
        return self.roi_head.predict_masks(feats, boxes, attn_feats, labels)


class TraceableRoIExtractor(nn.Module):
    """A ``FrameRoIExtractor`` that becomes operators of ONNX when it is traced.

    Which level a box is read from depends on the box, so in a trace each box is read from all of
    them and the right one is chosen.

    Args:
        extractor: what it does otherwise.
    """

    def __init__(self, extractor: FrameRoIExtractor) -> None:
        super().__init__()
        self.extractor = extractor

    def forward(self, feats: Sequence[Tensor], boxes: Tensor) -> Tensor:
        """Maps (T, C, h, w) and boxes (T, n, 4) -> (T * n, C, size, size)."""
        if not torch.compiler.is_exporting():
            return self.extractor(feats, boxes)
        T, n, _ = boxes.shape
        frames = torch.arange(T)[:, None].expand(T, n).flatten()  # (T * n,)
        rois = boxes.flatten(0, 1)
        numbered = torch.cat([frames[:, None].to(rois.dtype), rois], dim=1)  # (T * n, 5)
        levels = self.extractor.map_roi_levels(numbered, len(feats)).clamp(0, len(feats) - 1)
        pooled = _roi_align(feats[0], rois, frames, self.extractor.roi_layers[0])
        for level, (feat, layer) in enumerate(
            zip(feats[1:], self.extractor.roi_layers[1:], strict=True), start=1
        ):
            chosen = (levels == level)[:, None, None, None]
            pooled = torch.where(chosen, _roi_align(feat, rois, frames, layer), pooled)
        return pooled


def make_traceable(model: TeViT) -> None:
    """Put extractors that can be traced into a model."""
    head = model.roi_head
    head.bbox_roi_extractor = TraceableRoIExtractor(head.bbox_roi_extractor)
    head.mask_roi_extractor = TraceableRoIExtractor(head.mask_roi_extractor)


def _roi_align(feat: Tensor, rois: Tensor, frames: Tensor, layer: nn.Module) -> Tensor:
    height, width = layer.output_size
    return torch.onnx.ops.symbolic(
        'RoiAlign',
        (feat, rois, frames),
        dict(
            coordinate_transformation_mode='half_pixel' if layer.aligned else 'output_half_pixel',
            mode='avg',
            output_height=height,
            output_width=width,
            sampling_ratio=layer.sampling_ratio,
            spatial_scale=layer.spatial_scale,
        ),
        dtype=feat.dtype,
        shape=(rois.shape[0], feat.shape[1], height, width),
        version=16,
    )
