"""EoMT on images, trained and tested on COCO (CVPR 2025): what VidEoMT starts from."""

from typing import Any

import torch
import torch.nn.functional as F
from mmdet.structures import DetDataSample
from torch import Tensor

from mmvseg.models.precision import full_precision
from mmvseg.registry import MODELS
from mmvseg.structures import VideoDataSample

from .eomt import EoMT


@MODELS.register_module()
class ImageEoMT(EoMT):
    """EoMT whose results are those of mmdet's image models, for its metrics.

    Parameters have the names of :class:`EoMT`, so a checkpoint loads into both.

    Args:
        panoptic_fusion_head: mmdet's ``MaskFormerFusionHead``, which makes objects and segments of
            the queries.
        **settings: see :class:`EoMT`.
    """

    def __init__(self, panoptic_fusion_head: dict, **settings: Any) -> None:
        super().__init__(**settings)
        self.panoptic_fusion_head = MODELS.build(panoptic_fusion_head)

    def forward(
        self, inputs: Tensor, data_samples: list[VideoDataSample] | None = None, mode: str = 'loss'
    ) -> dict[str, Tensor] | Any:
        """mmengine's entry point, with ``predict`` besides the modes of :class:`EoMT`."""
        if mode == 'predict':
            return self.predict_images(inputs, data_samples)
        return super().forward(inputs, data_samples, mode)

    @torch.no_grad()
    def predict_images(
        self, inputs: Tensor, data_samples: list[VideoDataSample]
    ) -> list[DetDataSample]:
        """Objects and segments of clips of one frame.

        Args:
            inputs: (B, 1, 3, H, W).
            data_samples: tell the sizes without padding and of the files.

        Returns:
            B samples with ``pred_instances`` or ``pred_panoptic_seg`` or both, at the sizes of the
            files.
        """
        queries = self.segment(self.encode(inputs.flatten(0, 1)))
        masks = F.interpolate(
            queries.mask_logits(), inputs.shape[-2:], mode='bilinear', align_corners=False
        )
        results = self.panoptic_fusion_head.predict(
            full_precision(queries.class_logits), masks, data_samples, rescale=True
        )
        names = dict(ins_results='pred_instances', pan_results='pred_panoptic_seg')
        samples = []
        for sample, result in zip(data_samples, results, strict=True):
            samples.append(DetDataSample(metainfo=sample.metainfo))
            for kind, found in result.items():
                setattr(samples[-1], names[kind], found)
        return samples
