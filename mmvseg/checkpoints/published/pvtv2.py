"""PVTv2 as in its release."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from .names import NameTable, numbered
from .parts import Part

_STAGES = [(stage + 1, stage) for stage in range(4)]
_LINEARS = ('.mlp.fc1.weight', '.mlp.fc2.weight')


class OfficialPVTv2(Part):
    """The release's PVTv2.

    Its linear layers of the feed-forward part are convolutions of size 1 in mmdet, and its
    projections of queries and of keys and values are one matrix there.
    """

    def __init__(self) -> None:
        super().__init__(NameTable(_pairs()))

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and layout to ours."""
        laid_out = {}
        for name, tensor in weights.items():
            if name.endswith(_LINEARS):
                tensor = tensor[..., None, None]
            elif '.attn.q.' in name and (kv := name.replace('.q.', '.kv.')) in weights:
                name = name.replace('.q.', '.in_proj.')
                tensor = torch.cat([tensor, weights[kv]])
            elif '.attn.kv.' in name and name.replace('.kv.', '.q.') in weights:
                continue
            laid_out[name] = tensor
        return super().to_ours(laid_out)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back."""
        renamed, unknown = super().to_theirs(weights)
        laid_out = {}
        for name, tensor in renamed.items():
            if name.endswith(_LINEARS):
                laid_out[name] = tensor[..., 0, 0]
            elif '.in_proj.' in name:
                query, key, value = tensor.chunk(3)
                laid_out[name.replace('.in_proj.', '.q.')] = query.clone()
                laid_out[name.replace('.in_proj.', '.kv.')] = torch.cat([key, value])
            else:
                laid_out[name] = tensor
        return laid_out, unknown


def _pairs() -> Iterator[tuple[str, str]]:
    yield from numbered('patch_embed#.proj.{rest}', 'layers.#.0.projection.{rest}', _STAGES)
    yield from numbered('patch_embed#.norm.{rest}', 'layers.#.0.norm.{rest}', _STAGES)
    yield from numbered('norm#.{rest}', 'layers.#.2.{rest}', _STAGES)
    for theirs, ours in (
        ('attn.in_proj.{rest}', 'attn.attn.in_proj_{rest}'),
        ('attn.proj.{rest}', 'attn.attn.out_proj.{rest}'),
        ('attn.sr.{rest}', 'attn.sr.{rest}'),
        ('attn.norm.{rest}', 'attn.norm.{rest}'),
        ('mlp.fc1.{rest}', 'ffn.layers.0.{rest}'),
        ('mlp.dwconv.dwconv.{rest}', 'ffn.layers.1.{rest}'),
        ('mlp.fc2.{rest}', 'ffn.layers.4.{rest}'),
        ('norm1.{rest}', 'norm1.{rest}'),
        ('norm2.{rest}', 'norm2.{rest}'),
    ):
        yield from numbered(f'block#.{{layer}}.{theirs}', f'layers.#.1.{{layer}}.{ours}', _STAGES)
