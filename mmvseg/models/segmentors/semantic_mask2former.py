"""Mask2Former (CVPR 2022) on images with one class a pixel: the parts that mmdet's lacks."""

import torch
from mmdet.models import Mask2Former, MaskFormerFusionHead
from mmdet.structures import SampleList
from mmdet.structures.mask import BitmapMasks
from mmengine.structures import InstanceData, PixelData
from torch import Tensor
from torch.nn import functional

from mmvseg.models.precision import full_precision
from mmvseg.registry import MODELS


@MODELS.register_module()
class SemanticFusionHead(MaskFormerFusionHead):
    """From the masks and classes of the queries to a class for each pixel.

    The published code adds up the queries at the padded input size and resizes the scores; here the
    masks are resized first, as mmdet does for instances and panoptic segments.
    """

    def semantic_postprocess(self, mask_cls: Tensor, mask_pred: Tensor) -> PixelData:
        """The class with the highest score (MaskFormer, section 3.4).

        A query adds to the score of a class its probability of the class times that of the pixel.

        Args:
            mask_cls: class logits, (Q, K + 1), "no object" last.
            mask_pred: mask logits, (Q, H, W).

        Returns:
            ``sem_seg``, the class of each pixel (1, H, W).
        """
        with torch.autocast(mask_pred.device.type, enabled=False):
            classes = full_precision(mask_cls).softmax(-1)[:, :-1]  # (Q, K)
            masks = full_precision(mask_pred).sigmoid()
            scores = torch.einsum('qk,qhw->khw', classes, masks)
        return PixelData(sem_seg=scores.argmax(0, keepdim=True))

    def predict(
        self,
        mask_cls_results: Tensor,
        mask_pred_results: Tensor,
        batch_data_samples: SampleList,
        rescale: bool = False,
        **kwargs,
    ) -> list[dict[str, PixelData]]:
        """Classes of the pixels of each image of a batch.

        Args:
            mask_cls_results: class logits, (B, Q, K + 1).
            mask_pred_results: mask logits at the padded input size, (B, Q, H, W).
            batch_data_samples: tell the sizes without padding and of the files.
            rescale: give the sizes of the files, not those of the inputs.

        Returns:
            ``sem_results`` of each image.
        """
        results = []
        for class_logits, mask_logits, sample in zip(
            mask_cls_results, mask_pred_results, batch_data_samples, strict=True
        ):
            height, width = sample.img_shape[:2]
            mask_logits = mask_logits[:, :height, :width]
            if rescale:
                mask_logits = functional.interpolate(
                    mask_logits[None], sample.ori_shape[:2], mode='bilinear', align_corners=False
                )[0]
            results.append(dict(sem_results=self.semantic_postprocess(class_logits, mask_logits)))
        return results


@MODELS.register_module()
class SemanticMask2Former(Mask2Former):
    """mmdet's Mask2Former, trained on a map of classes alone; predicts ``pred_sem_seg``.

    To its head all classes are stuff: ``num_things_classes=0``.
    """

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """Losses of every decoder layer; each class of ``gt_sem_seg`` in an image is a target."""
        height, width = batch_inputs.shape[-2:]
        for sample in batch_data_samples:
            # the head adds the stuff to the objects, of which there are none
            sample.gt_instances = InstanceData(
                labels=batch_inputs.new_zeros(0, dtype=torch.long),
                masks=BitmapMasks([], height, width),
            )
        return super().loss(batch_inputs, batch_data_samples)

    def add_pred_to_datasample(
        self, data_samples: SampleList, results_list: list[dict[str, PixelData]]
    ) -> SampleList:
        """The samples with the fusion head's results as ``pred_sem_seg``."""
        for sample, result in zip(data_samples, results_list, strict=True):
            sample.pred_sem_seg = result['sem_results']
        return data_samples
