"""Box head with spatiotemporal query interaction (TeViT, section 3.2).

A QueryInst head whose self-attention runs twice with the same weights: over the queries of a
frame, then over the frames of a query. Its parameters are those of mmdet's ``DIIHead``, so
QueryInst checkpoints fit.
"""

from mmdet.models.roi_heads.bbox_heads import DIIHead
from torch import Tensor

from mmvseg.registry import MODELS


@MODELS.register_module()
class STQIHead(DIIHead):
    """Refine the queries of a clip by each other and by the image features in their boxes.

    Args:
        temporal_attention: exchange information between the frames of a clip. Without it the head
            is QueryInst's, applied to each frame.
        **kwargs: see ``DIIHead``.
    """

    def __init__(self, temporal_attention: bool = True, **kwargs) -> None:
        super().__init__(**kwargs)
        self.temporal_attention = temporal_attention

    def forward(
        self, roi_feat: Tensor, proposal_feat: Tensor, clip_length: int
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The whole head.

        Args:
            roi_feat: features of the queries' boxes, (N * Q, C, 7, 7) with N = B * T.
            proposal_feat: query features, (N, Q, C).
            clip_length: T, frames of one clip follow each other.

        Returns:
            class logits (N, Q, K), box deltas (N, Q, 4), query features for the next stage
            (N, Q, C) and those after attention, for the mask head (N, Q, C).
        """
        attn_feats = self.attend(proposal_feat, clip_length)
        obj_feat = self.interact(roi_feat, attn_feats)
        return self.classify(obj_feat), self.regress(obj_feat), obj_feat, attn_feats

    def attend(self, query_feats: Tensor, clip_length: int) -> Tensor:
        """Attention over the queries of a frame, then over the frames of a query.

        No position or time is encoded: a clip's frames may come in any order.

        Args:
            query_feats: (N, Q, C).
            clip_length: T.

        Returns:
            (N, Q, C).
        """
        (N, Q, C), T = query_feats.shape, clip_length
        spatial = self._self_attention(query_feats.transpose(0, 1))  # (Q, N, C)
        if not self.temporal_attention:
            return spatial.transpose(0, 1)  # (N, Q, C)
        tubes = spatial.view(Q, N // T, T, C).permute(2, 1, 0, 3)  # (T, B, Q, C)
        tubes = self._self_attention(tubes.reshape(T, -1, C)).view(T, -1, Q, C)
        return tubes.transpose(0, 1).reshape(N, Q, C)

    def _self_attention(self, tokens: Tensor) -> Tensor:
        """Residual, normalised self-attention along the first axis of (L, batch, C)."""
        # Not through mmcv's wrapper: it asks for the attention weights, which rules out the
        # fused kernels.
        attended = self.attention.attn(tokens, tokens, tokens, need_weights=False)[0]
        return self.attention_norm(tokens + attended)

    def interact(self, roi_feat: Tensor, attn_feats: Tensor) -> Tensor:
        """Dynamic convolution of box features with filters made from the queries, then an FFN.

        Frames do not meet here, so any subset of them can be computed at a time.

        Args:
            roi_feat: (N * Q, C, 7, 7).
            attn_feats: (N, Q, C).

        Returns:
            Query features for the next stage, (N, Q, C).
        """
        queries = attn_feats.flatten(0, 1)
        mixed = self.instance_interactive_conv(queries, roi_feat)
        mixed = queries + self.instance_interactive_conv_dropout(mixed)
        obj_feat = self.ffn_norm(self.ffn(self.instance_interactive_conv_norm(mixed)))
        return obj_feat.view_as(attn_feats)

    def classify(self, obj_feat: Tensor) -> Tensor:
        """Class logits (N, Q, K) of the query features (N, Q, C)."""
        for layer in self.cls_fcs:
            obj_feat = layer(obj_feat)
        return self.fc_cls(obj_feat)

    def regress(self, obj_feat: Tensor) -> Tensor:
        """Box deltas (N, Q, 4) of the query features (N, Q, C)."""
        for layer in self.reg_fcs:
            obj_feat = layer(obj_feat)
        return self.fc_reg(obj_feat)
