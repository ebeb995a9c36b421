"""QueryInst's dynamic mask head, computing the one class channel that is used."""

import torch
from mmdet.models.roi_heads.mask_heads import DynamicMaskHead
from torch import Tensor

from mmvseg.registry import MODELS


@MODELS.register_module()
class TeViTMaskHead(DynamicMaskHead):
    """mmdet's ``DynamicMaskHead`` (same parameters) with :meth:`class_logits`."""

    def forward(self, roi_feat: Tensor, proposal_feat: Tensor) -> Tensor:
        """Mask logits of every class, (R, K, 28, 28); see :meth:`class_logits`."""
        return self.conv_logits(self._mask_features(roi_feat, proposal_feat))

    def class_logits(self, roi_feat: Tensor, query_feats: Tensor, labels: Tensor) -> Tensor:
        """Mask logits of one class a box.

        Args:
            roi_feat: box features, (R, C, 14, 14).
            query_feats: query features after attention, (R, C).
            labels: the class wanted of each, (R,).

        Returns:
            (R, 28, 28) before the sigmoid.
        """
        features = self._mask_features(roi_feat, query_feats)  # (R, C, 28, 28)
        weight = self.conv_logits.weight.flatten(1)[labels]  # (R, C)
        pixels = features.permute(0, 2, 3, 1).flatten(1, 2)  # (R, 28 * 28, C)
        logits = torch.bmm(pixels, weight.unsqueeze(2)).view(-1, *features.shape[2:])
        return logits + self.conv_logits.bias[labels].view(-1, 1, 1)

    def _mask_features(self, roi_feat: Tensor, query_feats: Tensor) -> Tensor:
        R, _, height, width = roi_feat.shape
        mixed = self.instance_interactive_conv(query_feats.reshape(R, -1), roi_feat)  # (R, h*w, C)
        # A channels-last view: no copy, and the layout that convolutions like best.
        x = mixed.view(R, height, width, -1).permute(0, 3, 1, 2)  # (R, C, h, w)
        for conv in self.convs:
            x = conv(x)
        return self.relu(self.upsample(x))
