"""Video semantic segmentation from queries that arrive frame by frame."""

from torch import Tensor

from mmvseg.structures import VideoSemantic

from .frame_store import Codec, RawCodec
from .query_collector import QueryCollector, decode_masks
from .query_masks import FrameGeometry
from .vss import classify_pixels, classify_video


class VSSCollector(QueryCollector):
    """Gathers one video.

    Args:
        geometry: sizes of its frames.
        memory_limit: bytes of what is kept of frames that stay in memory.
        codec: see :class:`QueryCollector`; None if mask logits are kept.
    """

    def __init__(
        self, geometry: FrameGeometry, memory_limit: int, codec: Codec | None = None
    ) -> None:
        super().__init__(geometry, memory_limit, codec or RawCodec())

    def add_live(
        self, class_logits: Tensor, mask_embeds: Tensor, mask_features: Tensor
    ) -> VideoSemantic:
        """The classes of this one frame."""
        self.mean.add(class_logits[None])
        mask_logits = decode_masks(mask_embeds, mask_features)
        scores = self.class_probs()[:, :-1]
        return VideoSemantic([classify_pixels(scores, mask_logits, self.geometry)])

    def result(self) -> VideoSemantic:
        """The classes of the video."""
        return classify_video(self.class_probs()[:, :-1], self.masks.frames(), self.geometry)
