"""Swin Transformer as in its release, which Mask2Former's follows."""

from collections.abc import Callable, Mapping

from torch import Tensor

from .names import NameTable
from .parts import Part

_BLOCK, _OUR_BLOCK = 'layers.{stage}.blocks.{block}', 'stages.{stage}.blocks.{block}'
# Patch merging takes 2 x 2 neighbours: the release by columns, mmdet by rows.
_NEIGHBOURS = [0, 2, 1, 3]


class OfficialSwin(Part):
    """The release's Swin; the inputs of its patch merging come in another order.

    There they go by neighbour, then channel; in mmdet, which unfolds the map, by channel, then
    neighbour.
    """

    def __init__(self) -> None:
        super().__init__(
            NameTable(
                [
                    ('patch_embed.proj.{rest}', 'patch_embed.projection.{rest}'),
                    ('patch_embed.norm.{rest}', 'patch_embed.norm.{rest}'),
                    (f'{_BLOCK}.attn.{{rest}}', f'{_OUR_BLOCK}.attn.w_msa.{{rest}}'),
                    (f'{_BLOCK}.mlp.fc1.{{rest}}', f'{_OUR_BLOCK}.ffn.layers.0.0.{{rest}}'),
                    (f'{_BLOCK}.mlp.fc2.{{rest}}', f'{_OUR_BLOCK}.ffn.layers.1.{{rest}}'),
                    (f'{_BLOCK}.norm{{norm}}.{{rest}}', f'{_OUR_BLOCK}.norm{{norm}}.{{rest}}'),
                    ('layers.{stage}.downsample.{rest}', 'stages.{stage}.downsample.{rest}'),
                    ('norm{output}.{rest}', 'norm{output}.{rest}'),
                ]
            )
        )

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and order to ours."""
        return super().to_ours(_reorder(weights, _by_channel))

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back."""
        return super().to_theirs(_reorder(weights, _by_neighbour))


def _reorder(weights: Mapping[str, Tensor], order: Callable[[Tensor], Tensor]) -> dict[str, Tensor]:
    return {
        name: order(tensor) if '.downsample.' in name else tensor
        for name, tensor in weights.items()
    }


def _by_channel(inputs: Tensor) -> Tensor:
    """(…, 4 * C) by neighbour, then channel -> by channel, then neighbour."""
    return inputs.unflatten(-1, (4, -1))[..., _NEIGHBOURS, :].transpose(-1, -2).flatten(-2)


def _by_neighbour(inputs: Tensor) -> Tensor:
    """The inverse of :func:`_by_channel`."""
    return inputs.unflatten(-1, (-1, 4))[..., _NEIGHBOURS].transpose(-1, -2).flatten(-2)
