"""Mask2Former's head, also of MinVIS and DVIS, as published for detectron2."""

from collections.abc import Iterator

from .names import NameTable, numbered
from .parts import Part

#: Layers of the network that makes mask embeddings; ours are counted with the ReLUs in between.
MASK_EMBED_LAYERS = [(layer, 2 * layer) for layer in range(3)]
_ENCODER = 'pixel_decoder.transformer.encoder.layers.{layer}'
_OUR_ENCODER = 'pixel_decoder.encoder.layers.{layer}'
_DECODER = 'transformer_decoder.layers.{layer}'


class Mask2FormerHead(Part):
    """Pixel decoder and transformer decoder."""

    def __init__(self) -> None:
        super().__init__(NameTable([*_pixel_decoder(), *_transformer_decoder()]))


def _pixel_decoder() -> Iterator[tuple[str, str]]:
    """Multi-scale deformable attention, with one level of a feature pyramid below it."""
    for theirs, ours in (
        ('input_proj.{level}.0.{rest}', 'input_convs.{level}.conv.{rest}'),
        ('input_proj.{level}.1.{rest}', 'input_convs.{level}.gn.{rest}'),
        ('transformer.level_embed', 'level_encoding.weight'),
        ('adapter_1.norm.{rest}', 'lateral_convs.0.gn.{rest}'),
        ('adapter_1.weight', 'lateral_convs.0.conv.weight'),
        ('layer_1.norm.{rest}', 'output_convs.0.gn.{rest}'),
        ('layer_1.weight', 'output_convs.0.conv.weight'),
        ('mask_features.{rest}', 'mask_feature.{rest}'),
    ):
        yield f'pixel_decoder.{theirs}', f'pixel_decoder.{ours}'
    yield f'{_ENCODER}.self_attn.{{rest}}', f'{_OUR_ENCODER}.self_attn.{{rest}}'
    yield f'{_ENCODER}.linear1.{{rest}}', f'{_OUR_ENCODER}.ffn.layers.0.0.{{rest}}'
    yield f'{_ENCODER}.linear2.{{rest}}', f'{_OUR_ENCODER}.ffn.layers.1.{{rest}}'
    yield from numbered(
        f'{_ENCODER}.norm#.{{rest}}', f'{_OUR_ENCODER}.norms.#.{{rest}}', [(1, 0), (2, 1)]
    )


def _transformer_decoder() -> Iterator[tuple[str, str]]:
    """Queries and the layers of masked attention."""
    for theirs, ours in (
        ('cross_attention_layers.{layer}.multihead_attn.{rest}', 'cross_attn.attn.{rest}'),
        ('cross_attention_layers.{layer}.norm.{rest}', 'norms.0.{rest}'),
        ('self_attention_layers.{layer}.self_attn.{rest}', 'self_attn.attn.{rest}'),
        ('self_attention_layers.{layer}.norm.{rest}', 'norms.1.{rest}'),
        ('ffn_layers.{layer}.linear1.{rest}', 'ffn.layers.0.0.{rest}'),
        ('ffn_layers.{layer}.linear2.{rest}', 'ffn.layers.1.{rest}'),
        ('ffn_layers.{layer}.norm.{rest}', 'norms.2.{rest}'),
    ):
        yield f'predictor.transformer_{theirs}', f'{_DECODER}.{ours}'
    yield 'predictor.decoder_norm.{rest}', 'transformer_decoder.post_norm.{rest}'
    yield 'predictor.class_embed.{rest}', 'cls_embed.{rest}'
    yield from numbered(
        'predictor.mask_embed.layers.#.{rest}', 'mask_embed.#.{rest}', MASK_EMBED_LAYERS
    )
    for name in ('query_feat', 'query_embed', 'level_embed'):
        yield f'predictor.{name}.weight', f'{name}.weight'
    # query_feat in older checkpoints
    yield 'predictor.static_query.weight', 'query_feat.weight'
