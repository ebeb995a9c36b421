"""How EoMT, VidEoMT and PMT keep a frame until it is known which of its masks are reported."""

import torch
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.heads.token_query_head import TokenQueryHead
from mmvseg.models.postprocess.frame_store import RawCodec
from mmvseg.models.postprocess.query_collector import decode_masks
from mmvseg.models.precision import WHY_NOT_FINITE
from mmvseg.ops import upload
from mmvseg.structures import FrameQueries


class TokenCodec(RawCodec):
    """Frames as mask embeddings and patches, (Q + P, C): a product that gives all masks.

    At 448 x 800 pixels, with 200 queries of ViT-S, that is 2.5 MB instead of 18 MB of mask logits
    and 34 MB of upscaled features. Patches are upscaled here, one frame at a time.

    Args:
        head: upscales the patches.
        grid: rows and columns of them.
        video_name: for messages.
    """

    def __init__(self, head: TokenQueryHead, grid: tuple[int, int], video_name: str) -> None:
        super().__init__()
        self.head, self.grid, self.video_name = head, grid, video_name
        self._finite: list[Tensor] = []  # whether the logits of a frame are, one value each

    @staticmethod
    def join(queries: FrameQueries) -> Tensor:
        """What is kept of N frames whose mask features are patches, (N, Q + P, C)."""
        patches = queries.mask_features.flatten(2).transpose(1, 2)
        return torch.cat([queries.mask_embeds, patches], dim=1)

    def decode(self, data: bytes, shape: torch.Size, queries: Tensor | None) -> Tensor:
        """:meth:`select` of what was written."""
        tensor = torch.frombuffer(bytearray(data), dtype=self.dtype).view(shape)
        return self.select(upload(tensor, self.head.query_feat.weight.device), queries)

    @torch.no_grad()
    def select(self, tensor: Tensor, queries: Tensor | None) -> Tensor:
        """Mask logits of queries (n,), or of all, from a frame's (Q + P, C): (n, h, w)."""
        rows, columns = self.grid
        embeds, patches = tensor[: -rows * columns], tensor[-rows * columns :]
        if queries is not None:
            embeds = embeds[queries]
        if not len(embeds):  # nothing is upscaled for nobody
            scale = 2 ** len(self.head.upscale)
            return tensor.new_zeros(0, scale * rows, scale * columns)
        features = patches.T.unflatten(1, self.grid)[None]  # (1, C, rows, columns)
        masks = [decode_masks(embeds, strip[0]) for strip in self.head.strips(features)]
        logits = torch.cat(masks, dim=1)
        self._finite.append(logits.isfinite().all())
        return logits

    def settle(self) -> None:
        """Look at all frames that were selected, in one transfer.

        Raises:
            UserError: some of their mask logits are not finite.
        """
        finite, self._finite = self._finite, []
        if finite and not torch.stack(finite).all():
            raise UserError(
                f'video {self.video_name!r}: the masks of upscaled patches are not finite; '
                + WHY_NOT_FINITE
            )
