"""Names of the published tracker's and refiner's parameters (DVIS), in ours."""

import re
from collections.abc import Mapping

from torch import Tensor

from mmvseg.errors import UserError

HEADS = (
    (r'((?:decoder_norm|class_embed|activation_proj)\..+)', r'\1'),
    (r'mask_embed\.layers\.(\d)\.(.+)', r'mask_embed.\1.\2'),
    (r'transformer_ffn_layers\.(\d+)\.linear1\.(.+)', r'layers.\1.ffn.0.\2'),
    (r'transformer_ffn_layers\.(\d+)\.linear2\.(.+)', r'layers.\1.ffn.2.\2'),
)


def _attention(
    original: str, inner: str, ours: str, norm: int
) -> tuple[tuple[str, str], tuple[str, str]]:
    layers = rf'transformer_{original}_layers\.(\d+)'
    return (
        (rf'{layers}\.{inner}\.(.+)', rf'layers.\1.{ours}.\2'),
        (rf'{layers}\.norm\.(.+)', rf'layers.\1.norms.{norm}.\2'),
    )


TRACKER = (
    *HEADS,
    *_attention('cross_attention', 'multihead_attn', 'cross_attn', 0),
    *_attention('self_attention', 'self_attn', 'self_attn', 1),
    (r'transformer_ffn_layers\.(\d+)\.norm\.(.+)', r'layers.\1.norms.2.\2'),
)
REFINER = (
    *HEADS,
    *_attention('time_self_attention', 'self_attn', 'time_attn', 0),
    (r'conv_short_aggregate_layers\.(\d+)\.(.+)', r'layers.\1.time_conv.\2'),
    (r'conv_norms\.(\d+)\.(.+)', r'layers.\1.norms.1.\2'),
    *_attention('obj_self_attention', 'self_attn', 'object_attn', 2),
    *_attention('cross_attention', 'multihead_attn', 'cross_attn', 3),
    (r'transformer_ffn_layers\.(\d+)\.norm\.(.+)', r'layers.\1.norms.4.\2'),
)


def rename_tracking(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of tracker and refiner under the names of ``tracker`` and ``refiner``.

    Args:
        weights: state dict under the original names. Other parts are left out.

    Raises:
        UserError: if a part of tracker or refiner has a name that is not known.
    """
    renamed = {}
    for name, tensor in weights.items():
        part, _, rest = name.partition('.')
        if part in ('tracker', 'refiner'):
            renamed[f'{part}.{_rename(rest, TRACKER if part == "tracker" else REFINER)}'] = tensor
    return renamed


def _rename(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, new in table:
        if re.fullmatch(pattern, name):
            ours = re.sub(pattern, new, name)
            # Between two linear layers there is a ReLU, which counts.
            return re.sub(r'^mask_embed\.(\d)', lambda m: f'mask_embed.{2 * int(m[1])}', ours)
    raise UserError(
        f"weights: '{name}' is no parameter of the published tracker or refiner; are these "
        'weights of another model?'
    )
