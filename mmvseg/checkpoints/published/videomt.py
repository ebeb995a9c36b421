"""What EoMT, VidEoMT and PMT have besides their ViT, as published."""

from collections.abc import Iterator, Mapping

from torch import Tensor

from .names import NameTable, numbered
from .parts import Part
from .vit import SplitProjections

_MASK_LAYERS = (0, 2, 4)


class QueryHead(Part):
    """Queries, their update from frame to frame, heads, and the annealing of EoMT's masks."""

    def __init__(self) -> None:
        super().__init__(NameTable([*_head(), ('attn_mask_probs', 'mask_probabilities')]))


class PMTDecoder(Part):
    """PMT's lateral projections, queries and heads; its decoder but for the blocks."""

    def __init__(self) -> None:
        super().__init__(
            NameTable(
                [
                    ('bn.{level}.{rest}', 'laterals.{level}.norm.{rest}'),
                    (
                        'decoder.lateral_projections.{level}.{layer}.{rest}',
                        'laterals.{level}.mlp.{layer}.{rest}',
                    ),
                    ('decoder.scalers.{level}', 'laterals.{level}.scale'),
                    ('decoder.decoder_norm.{rest}', 'decoder.norm.{rest}'),
                    *((f'decoder.{theirs}', ours) for theirs, ours in _head()),
                ]
            )
        )


class TransformersQueryViT(SplitProjections):
    """EoMT and VidEoMT with DINOv2 as transformers names them, where positions have no batch."""

    def __init__(self) -> None:
        block, our_block = 'layers.{block}', 'backbone.blocks.{block}'
        super().__init__(
            NameTable(
                [
                    ('embeddings.cls_token', 'backbone.cls_token'),
                    ('embeddings.register_tokens', 'backbone.register_tokens'),
                    (_POSITIONS, 'backbone.pos_embed'),
                    (
                        'embeddings.patch_embeddings.projection.{rest}',
                        'backbone.patch_embed.{rest}',
                    ),
                    *(
                        (f'{block}.{theirs}.{{rest}}', f'{our_block}.{ours}.{{rest}}')
                        for theirs, ours in (
                            ('norm1', 'norm1'),
                            ('attention.qkv', 'attn.qkv'),
                            ('attention.out_proj', 'attn.proj'),
                            ('norm2', 'norm2'),
                            ('mlp.fc1', 'mlp.fc1'),
                            ('mlp.fc2', 'mlp.fc2'),
                        )
                    ),
                    (f'{block}.layer_scale{{scale}}.lambda1', f'{our_block}.ls{{scale}}'),
                    ('layernorm.{rest}', 'backbone.norm.{rest}'),
                    ('query.weight', 'panoptic_head.query_feat.weight'),
                    ('query_updater.{rest}', 'query_updater.{rest}'),
                    ('class_predictor.{rest}', 'panoptic_head.cls_embed.{rest}'),
                    *numbered(
                        'mask_head.fc#.{rest}',
                        'panoptic_head.mask_embed.#.{rest}',
                        enumerate(_MASK_LAYERS, 1),
                    ),
                    *_upscaling('upscale_block.block.{layer}', 'layernorm2d'),
                    ('attn_mask_probs', 'mask_probabilities'),
                ]
            )
        )

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and layout to ours."""
        weights = dict(weights)
        if _POSITIONS in weights:
            weights[_POSITIONS] = weights[_POSITIONS][None]
        return super().to_ours(weights)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back."""
        renamed, unknown = super().to_theirs(weights)
        if _POSITIONS in renamed:
            renamed[_POSITIONS] = renamed[_POSITIONS][0]
        return renamed, unknown


_POSITIONS = 'embeddings.position_embeddings.weight'


def _head() -> Iterator[tuple[str, str]]:
    yield 'q.weight', 'panoptic_head.query_feat.weight'
    yield 'query_updater.{rest}', 'query_updater.{rest}'
    yield 'class_head.{rest}', 'panoptic_head.cls_embed.{rest}'
    yield 'mask_head.{layer}.{rest}', 'panoptic_head.mask_embed.{layer}.{rest}'
    yield from _upscaling('upscale.{layer}', 'norm')


def _upscaling(theirs: str, norm: str) -> Iterator[tuple[str, str]]:
    for name, our_name in (('conv1', 'deconv'), ('conv2', 'conv'), (norm, 'norm')):
        yield f'{theirs}.{name}.{{rest}}', f'panoptic_head.upscale.{{layer}}.{our_name}.{{rest}}'
