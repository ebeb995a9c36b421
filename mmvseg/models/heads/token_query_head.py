"""What EoMT, VidEoMT and PMT read off the tokens of a plain transformer (EoMT, CVPR 2025)."""

import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmvseg.models.channel_norm import ChannelNorm
from mmvseg.registry import MODELS


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
        return self.norm(self.conv(F.gelu(self.deconv(features))))


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

    def split(self, tokens: Tensor, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Queries (N, Q, C) and patches (N, C, h, w) of tokens (N, S, C).

        Queries come first, patches last; the tokens between are read by nobody.
        """
        queries = tokens[:, : self.query_feat.num_embeddings]
        patches = tokens[:, -grid[0] * grid[1] :]
        return queries, patches.transpose(1, 2).unflatten(2, grid)
