"""DVIS's tracker and refiner."""

from collections.abc import Iterator

from .mask2former import MASK_EMBED_LAYERS
from .names import NameTable, numbered
from .parts import Part


class DVISTracker(Part):
    """The referring tracker."""

    def __init__(self) -> None:
        super().__init__(
            NameTable(
                [
                    *_heads(),
                    *_attention('cross_attention', 'multihead_attn', 'cross_attn', norm=0),
                    *_attention('self_attention', 'self_attn', 'self_attn', norm=1),
                    *_feed_forward(norm=2),
                ]
            )
        )


class DVISRefiner(Part):
    """The temporal refiner."""

    def __init__(self) -> None:
        super().__init__(
            NameTable(
                [
                    *_heads(),
                    ('activation_proj.{rest}', 'activation_proj.{rest}'),
                    *_attention('time_self_attention', 'self_attn', 'time_attn', norm=0),
                    (
                        'conv_short_aggregate_layers.{layer}.{rest}',
                        'layers.{layer}.time_conv.{rest}',
                    ),
                    ('conv_norms.{layer}.{rest}', 'layers.{layer}.norms.1.{rest}'),
                    *_attention('obj_self_attention', 'self_attn', 'object_attn', norm=2),
                    *_attention('cross_attention', 'multihead_attn', 'cross_attn', norm=3),
                    *_feed_forward(norm=4),
                ]
            )
        )


def _heads() -> Iterator[tuple[str, str]]:
    for name in ('decoder_norm', 'class_embed'):
        yield f'{name}.{{rest}}', f'{name}.{{rest}}'
    yield from numbered('mask_embed.layers.#.{rest}', 'mask_embed.#.{rest}', MASK_EMBED_LAYERS)


def _attention(theirs: str, inner: str, ours: str, norm: int) -> Iterator[tuple[str, str]]:
    layers = f'transformer_{theirs}_layers.{{layer}}'
    yield f'{layers}.{inner}.{{rest}}', f'layers.{{layer}}.{ours}.{{rest}}'
    yield f'{layers}.norm.{{rest}}', f'layers.{{layer}}.norms.{norm}.{{rest}}'


def _feed_forward(norm: int) -> Iterator[tuple[str, str]]:
    layers = 'transformer_ffn_layers.{layer}'
    yield f'{layers}.linear1.{{rest}}', 'layers.{layer}.ffn.0.{rest}'
    yield f'{layers}.linear2.{{rest}}', 'layers.{layer}.ffn.2.{rest}'
    yield f'{layers}.norm.{{rest}}', f'layers.{{layer}}.norms.{norm}.{{rest}}'
