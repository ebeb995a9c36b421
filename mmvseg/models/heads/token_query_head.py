"""What EoMT, VidEoMT and PMT read off the tokens of a plain transformer (EoMT, CVPR 2025)."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvseg.models.channel_norm import ChannelNorm
from mmvseg.registry import MODELS

#: Bytes of what is upscaled at a time at inference, see :meth:`UpscaleBlock.strips`.
STRIP_BYTES = {'cpu': 2**22, 'cuda': 2**28}


class UpscaleBlock(nn.Module):
    """Twice the size: a transposed convolution, GELU, a depthwise convolution, LayerNorm.

    Args:
        channels: C.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.deconv = nn.ConvTranspose2d(channels, channels, 2, stride=2)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False)
        self.norm = ChannelNorm(channels)

    def forward(self, features: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, 2h, 2w)."""
        return self.smooth(self.enlarge(features), padding=1)

    def enlarge(self, features: Tensor) -> Tensor:
        """The first half of :meth:`forward`, (N, C, h, w) -> (N, C, 2h, 2w)."""
        return F.gelu(self.deconv(features))

    def smooth(self, features: Tensor, padding: int | tuple[int, int]) -> Tensor:
        """The second half, with zeros around: rows above and below, columns beside."""
        weight = self.conv.weight
        return self.norm(F.conv2d(features, weight, padding=padding, groups=len(weight)))

    def strips(self, features: Tensor) -> Iterator[Tensor]:
        """:meth:`forward` from top to bottom, at inference: (N, C, rows, 2w), together 2h rows.

        Tensors that fit into the cache are made two thirds faster on a CPU than those of a frame.
        """
        height = features.shape[2]
        row_bytes = features[:, :, :1].nbytes * 4
        step = max(1, STRIP_BYTES['cuda' if features.is_cuda else 'cpu'] // row_bytes)
        above = None
        for start in range(0, height, step):
            finer = self.enlarge(features[:, :, start : start + step])
            border = torch.zeros_like(finer[:, :, :1])
            below = [border] if start + step >= height else []
            strip = torch.cat([border if above is None else above, finer, *below], dim=2)
            above = strip[:, :, -2:]
            yield self.smooth(strip, padding=(0, 1))


@MODELS.register_module()
class TokenQueryHead(BaseModule):
    """Queries, their classes, their mask embeddings, and the features that these multiply.

    Args:
        num_classes: K, without "no object".
        num_queries: Q.
        embed_dims: C, of the tokens.
        num_upscales: doublings of the patches' grid, which bring it to a quarter of the image's
            size: 2 for patches of 16 pixels.
        init_cfg: mmengine's initialisation.
    """

    def __init__(
        self,
        num_classes: int,
        num_queries: int,
        embed_dims: int,
        num_upscales: int = 2,
        init_cfg: dict | list[dict] | None = None,
    ) -> None:
        super().__init__(init_cfg)
        self.query_feat = nn.Embedding(num_queries, embed_dims)
        self.cls_embed = nn.Linear(embed_dims, num_classes + 1)
        self.mask_embed = nn.Sequential(
            nn.Linear(embed_dims, embed_dims),
            nn.GELU(),
            nn.Linear(embed_dims, embed_dims),
            nn.GELU(),
            nn.Linear(embed_dims, embed_dims),
        )
        self.upscale = nn.Sequential(*(UpscaleBlock(embed_dims) for _ in range(num_upscales)))

    def learned_queries(self, num_images: int) -> Tensor:
        """The queries of images of which nothing is known yet, (N, Q, C)."""
        return self.query_feat.weight.expand(num_images, -1, -1)

    def strips(self, patches: Tensor) -> Iterator[Tensor]:
        """Upscaled patches (N, C, h, w) from top to bottom, at inference, (N, C, rows, w')."""
        strips = iter([patches])
        for block in self.upscale:
            strips = block.strips(torch.cat([*strips], dim=2))
        return strips

    def split(self, tokens: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Queries (N, Q, C) and patches (N, C, h, w) of tokens (N, S, C).

        Queries come first, patches last; the tokens between are read by nobody.
        """
        queries = tokens[:, : self.query_feat.num_embeddings]
        patches = tokens[:, -grid[0] * grid[1] :]
        return queries, patches.transpose(1, 2).unflatten(2, grid)
