"""Plain ViTs, DINOv2's and DINOv3's, as published."""

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from .names import NameTable
from .parts import Part

_PROJECTIONS = ('.q_proj.', '.k_proj.', '.v_proj.')
_FUSED = '.qkv.'


class SplitProjections(Part):
    """A part that projects queries, keys and values by three layers, which are one here.

    What not all three have, as the biases of DINOv3, whose keys have none, stays apart.
    """

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and layout to ours."""
        fused = {}
        for name, tensor in weights.items():
            projection = next((kind for kind in _PROJECTIONS if kind in name), None)
            names = [name.replace(projection, kind) for kind in _PROJECTIONS] if projection else []
            if not names or not all(one in weights for one in names):
                fused[name] = tensor
            elif projection == _PROJECTIONS[0]:
                fused[name.replace(projection, _FUSED)] = torch.cat([weights[one] for one in names])
        return super().to_ours(fused)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back."""
        renamed, unknown = super().to_theirs(weights)
        split = {}
        for name, tensor in renamed.items():
            if _FUSED not in name:
                split[name] = tensor
                continue
            for kind, part in zip(_PROJECTIONS, tensor.chunk(3), strict=True):
                split[name.replace(_FUSED, kind)] = part.clone()
        return split, unknown


class TimmDINOv2(Part):
    """DINOv2 with registers as timm has it: positions are those of patches alone."""

    def __init__(self) -> None:
        super().__init__(NameTable(_dinov2('reg_token')))


class OfficialDINOv2(Part):
    """DINOv2 with registers as in its release, where the class token has a position, too."""

    def __init__(self) -> None:
        super().__init__(NameTable(_dinov2('register_tokens')))

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and layout to ours: the class token is added to its position."""
        weights = dict(weights)
        if 'pos_embed' in weights and 'cls_token' in weights:
            positions = weights['pos_embed']
            weights['cls_token'] = weights['cls_token'] + positions[:, :1]
            weights['pos_embed'] = positions[:, 1:].contiguous()
        return super().to_ours(weights)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back: the same sum, with nothing as the position of the class token."""
        renamed, unknown = super().to_theirs(weights)
        if 'pos_embed' in renamed:
            positions = renamed['pos_embed']
            renamed['pos_embed'] = torch.cat([torch.zeros_like(positions[:, :1]), positions], 1)
        return renamed, unknown


class DINOv3(SplitProjections):
    """DINOv3 with names after those of transformers.

    Args:
        embeddings: the name of what makes tokens of an image.
        layer: that of the list of blocks.
    """

    def __init__(self, embeddings: str, layer: str) -> None:
        super().__init__(
            NameTable(
                [
                    (f'{embeddings}.cls_token', 'cls_token'),
                    (f'{embeddings}.register_tokens', 'register_tokens'),
                    (f'{embeddings}.patch_embeddings.{{rest}}', 'patch_embed.{rest}'),
                    *_dinov3_block(f'{layer}.{{block}}.', 'blocks.{block}.'),
                    ('norm.{rest}', 'norm.{rest}'),
                ]
            )
        )


class DINOv3Blocks(SplitProjections):
    """A list of DINOv3's blocks alone."""

    def __init__(self) -> None:
        super().__init__(NameTable(_dinov3_block('{block}.', '{block}.')))


class OfficialDINOv3(Part):
    """DINOv3 as in its release: one projection, whose bias is masked where it is that of keys."""

    def __init__(self) -> None:
        biases = [
            (f'blocks.{{block}}.attn.qkv.{kind}_bias', f'blocks.{{block}}.attn.{kind}_bias')
            for kind in 'qv'
        ]
        super().__init__(NameTable([*biases, *_dinov2('storage_tokens')]))

    def to_ours(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """Published names and layout to ours.

        Raises:
            ValueError: a mask lets the bias of keys through, or masks another.
        """
        laid_out = {}
        for name, tensor in weights.items():
            if name.endswith('.qkv.bias_mask'):
                continue
            if name.endswith('.qkv.bias') and (mask := weights.get(f'{name}_mask')) is not None:
                query, _, value = tensor.chunk(3)
                if not torch.equal(mask.bool(), _bias_mask(tensor).bool()):
                    raise ValueError(f'{name}_mask does not mask the bias of keys alone')
                laid_out[name.replace('.bias', '.q_bias')] = query.clone()
                laid_out[name.replace('.bias', '.v_bias')] = value.clone()
            else:
                laid_out[name] = tensor
        return super().to_ours(laid_out)

    def to_theirs(self, weights: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
        """The way back, with zeros as the masked bias."""
        renamed, unknown = super().to_theirs(weights)
        laid_out = {}
        for name, tensor in renamed.items():
            if name.endswith('.qkv.q_bias'):
                value = renamed[name.replace('.q_bias', '.v_bias')]
                bias = torch.cat([tensor, torch.zeros_like(tensor), value])
                name = name.replace('.q_bias', '.bias')
                laid_out[name] = bias
                laid_out[f'{name}_mask'] = _bias_mask(bias)
            elif not name.endswith('.qkv.v_bias'):
                laid_out[name] = tensor
        return laid_out, unknown


def _bias_mask(bias: Tensor) -> Tensor:
    """1 where a bias of queries, keys and values counts, 0 for the keys."""
    mask = torch.ones_like(bias)
    mask.chunk(3)[1].zero_()
    return mask


def _dinov2(registers: str) -> Iterator[tuple[str, str]]:
    yield 'cls_token', 'cls_token'
    yield registers, 'register_tokens'
    yield 'pos_embed', 'pos_embed'
    yield 'patch_embed.proj.{rest}', 'patch_embed.{rest}'
    for scale in ('ls1', 'ls2'):
        yield f'blocks.{{block}}.{scale}.gamma', f'blocks.{{block}}.{scale}'
    for name in ('norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.fc1', 'mlp.fc2'):
        yield f'blocks.{{block}}.{name}.{{rest}}', f'blocks.{{block}}.{name}.{{rest}}'
    yield 'norm.{rest}', 'norm.{rest}'


def _dinov3_block(theirs: str, ours: str) -> Iterator[tuple[str, str]]:
    for their_name, our_name in (
        ('norm1.{rest}', 'norm1.{rest}'),
        ('attention.qkv.{rest}', 'attn.qkv.{rest}'),
        ('attention.q_proj.bias', 'attn.q_bias'),
        ('attention.v_proj.bias', 'attn.v_bias'),
        ('attention.o_proj.{rest}', 'attn.proj.{rest}'),
        ('layer_scale1.lambda1', 'ls1'),
        ('norm2.{rest}', 'norm2.{rest}'),
        ('mlp.up_proj.{rest}', 'mlp.fc1.{rest}'),
        ('mlp.down_proj.{rest}', 'mlp.fc2.{rest}'),
        ('layer_scale2.lambda1', 'ls2'),
    ):
        yield theirs + their_name, ours + our_name
