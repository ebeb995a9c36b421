"""Names of the published segmenter's parameters (Mask2Former, MinVIS, DVIS), in those of mmdet."""

import re
from collections.abc import Mapping

import torch
from mmdet.models.backbones.swin import swin_converter
from torch import Tensor

from mmvseg.errors import UserError

#: Detectron2's ResNet to mmdet's; res2 is layer1.
RESNET = (
    (r'stem\.conv1\.norm\.(.+)', r'bn1.\1'),
    (r'stem\.(conv1\.weight)', r'\1'),
    (r'(res\d)\.(\d+)\.shortcut\.norm\.(.+)', r'\1.\2.downsample.1.\3'),
    (r'(res\d)\.(\d+)\.shortcut\.(weight)', r'\1.\2.downsample.0.\3'),
    (r'(res\d)\.(\d+)\.conv(\d)\.norm\.(.+)', r'\1.\2.bn\3.\4'),
    (r'(res\d\.\d+\.conv\d\.weight)', r'\1'),
)
HEAD = (
    (r'pixel_decoder\.input_proj\.(\d)\.0\.(.+)', r'pixel_decoder.input_convs.\1.conv.\2'),
    (r'pixel_decoder\.input_proj\.(\d)\.1\.(.+)', r'pixel_decoder.input_convs.\1.gn.\2'),
    (r'pixel_decoder\.transformer\.level_embed', r'pixel_decoder.level_encoding.weight'),
    (
        r'pixel_decoder\.transformer\.encoder\.(layers\.\d+\.self_attn\..+)',
        r'pixel_decoder.encoder.\1',
    ),
    (
        r'pixel_decoder\.transformer\.encoder\.(layers\.\d+)\.norm(\d)\.(.+)',
        r'pixel_decoder.encoder.\1.norms.\2.\3',
    ),
    (
        r'pixel_decoder\.transformer\.encoder\.(layers\.\d+)\.linear(\d)\.(.+)',
        r'pixel_decoder.encoder.\1.ffn.linear\2.\3',
    ),
    (r'pixel_decoder\.adapter_1\.norm\.(.+)', r'pixel_decoder.lateral_convs.0.gn.\1'),
    (r'pixel_decoder\.adapter_1\.(weight)', r'pixel_decoder.lateral_convs.0.conv.\1'),
    (r'pixel_decoder\.layer_1\.norm\.(.+)', r'pixel_decoder.output_convs.0.gn.\1'),
    (r'pixel_decoder\.layer_1\.(weight)', r'pixel_decoder.output_convs.0.conv.\1'),
    (r'pixel_decoder\.mask_features\.(.+)', r'pixel_decoder.mask_feature.\1'),
    (
        r'predictor\.transformer_cross_attention_layers\.(\d+)\.multihead_attn\.(.+)',
        r'transformer_decoder.layers.\1.cross_attn.attn.\2',
    ),
    (
        r'predictor\.transformer_cross_attention_layers\.(\d+)\.norm\.(.+)',
        r'transformer_decoder.layers.\1.norms.0.\2',
    ),
    (
        r'predictor\.transformer_self_attention_layers\.(\d+)\.self_attn\.(.+)',
        r'transformer_decoder.layers.\1.self_attn.attn.\2',
    ),
    (
        r'predictor\.transformer_self_attention_layers\.(\d+)\.norm\.(.+)',
        r'transformer_decoder.layers.\1.norms.1.\2',
    ),
    (
        r'predictor\.transformer_ffn_layers\.(\d+)\.linear(\d)\.(.+)',
        r'transformer_decoder.layers.\1.ffn.linear\2.\3',
    ),
    (
        r'predictor\.transformer_ffn_layers\.(\d+)\.norm\.(.+)',
        r'transformer_decoder.layers.\1.norms.2.\2',
    ),
    (r'predictor\.decoder_norm\.(.+)', r'transformer_decoder.post_norm.\1'),
    (r'predictor\.((?:query_feat|query_embed|level_embed)\.weight)', r'\1'),
    (r'predictor\.class_embed\.(.+)', r'cls_embed.\1'),
    (r'predictor\.mask_embed\.layers\.(\d)\.(.+)', r'mask_embed.\1.\2'),
)


def rename_segmenter(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Parameters of backbone and head under the names of ``backbone`` and ``panoptic_head``.

    Swin's patch merging is put into the order of its inputs in mmdet.

    Args:
        weights: state dict under the original names. What is not of the segmenter (tracker,
            refiner, criterion) is left out.

    Raises:
        UserError: if a part of the segmenter has a name that is not known.
    """
    backbone = _part(weights, 'backbone.')
    is_swin = any(name.startswith('patch_embed.') for name in backbone)
    # swin_converter adds the prefix itself.
    renamed = swin_converter(backbone) if is_swin else _rename_resnet(backbone)
    for name, tensor in _part(weights, 'sem_seg_head.').items():
        renamed['panoptic_head.' + _rename_head(name)] = tensor
    return dict(renamed)


def _part(weights: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in weights.items()
        if name.startswith(prefix)
    }


def _rename_resnet(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in weights.items():
        new = 'backbone.' + _rename(name, RESNET)
        new = re.sub(r'\bres(\d)\b', lambda match: f'layer{int(match[1]) - 1}', new)
        renamed[new] = tensor
        if new.endswith('running_var'):
            # Frozen batch norm never counted its batches.
            counter = new.replace('running_var', 'num_batches_tracked')
            renamed[counter] = torch.tensor(0)
    return renamed


def _rename_head(name: str) -> str:
    new = _rename(name, HEAD)
    new = re.sub(r'^mask_embed\.(\d)', lambda match: f'mask_embed.{2 * int(match[1])}', new)
    new = re.sub(r'(encoder\.layers\.\d+\.norms)\.(\d)', _count_from_zero, new)
    return new.replace('.ffn.linear1.', '.ffn.layers.0.0.').replace(
        '.ffn.linear2.', '.ffn.layers.1.'
    )


def _count_from_zero(match: re.Match) -> str:
    return f'{match[1]}.{int(match[2]) - 1}'


def _rename(name: str, table: tuple[tuple[str, str], ...]) -> str:
    for pattern, new in table:
        if re.fullmatch(pattern, name):
            return re.sub(pattern, new, name)
    raise UserError(
        f"weights: '{name}' is no parameter of the published segmenter (backbone, "
        'sem_seg_head); are these weights of another model?'
    )
