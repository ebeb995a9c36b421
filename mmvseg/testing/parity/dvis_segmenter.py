"""Replay recorded cases of the segmenter: its parts, and all of it on ResNet and Swin."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from mmvseg.errors import UserError
from mmvseg.models.heads import FrameQueryHead
from mmvseg.registry import MODELS
from mmvseg.structures import FrameQueries

from .case import Case, Comparison, fill


def backbone_config(config: dict) -> dict:
    """Arguments of mmdet's backbone.

    Args:
        config: ``config`` of a case, with the published model's settings.
    """
    original = config['backbone']
    if original['type'] == 'swin':
        return _swin_config(original)
    if original['type'] == 'resnet' and not original['stride_in_1x1']:
        return dict(
            type='ResNet',
            depth=original['depth'],
            stem_channels=original['stem_out_channels'],
            base_channels=original['res2_out_channels'] // 4,
            norm_cfg=dict(type='BN', requires_grad=False),
            norm_eval=True,
            style='pytorch',
        )
    raise UserError(f'config.json: a backbone like {original} cannot be replayed')


def head_config(config: dict) -> dict:
    """Arguments of :class:`FrameQueryHead`.

    Args:
        config: ``config`` of a case; a part that it lacks is given the width of the other.
    """
    decoder = config.get('frame_decoder') or _decoder_like(config['pixel_decoder'])
    pixels = config.get('pixel_decoder') or _pixels_like(decoder)
    in_channels = config.get('in_channels') or config.get('backbone', {}).get('out_channels')
    width = decoder['hidden_dim']
    positions = dict(num_feats=width // 2, normalize=True)
    return dict(
        type='FrameQueryHead',
        in_channels=in_channels or [width] * 4,
        num_classes=decoder['num_classes'],
        num_queries=decoder['num_queries'],
        feat_channels=width,
        out_channels=decoder['mask_dim'],
        positional_encoding=positions,
        pixel_decoder=dict(
            type='MSDeformAttnPixelDecoder',
            positional_encoding=positions,
            encoder=dict(
                num_layers=pixels['enc_layers'],
                layer_cfg=dict(
                    self_attn_cfg=dict(
                        embed_dims=pixels['conv_dim'],
                        num_heads=pixels['nheads'],
                        num_levels=pixels['num_levels'],
                        num_points=pixels['num_points_per_level'],
                        dropout=pixels['dropout'],
                        batch_first=True,
                    ),
                    ffn_cfg=_ffn(pixels['conv_dim'], pixels['dim_feedforward']),
                ),
            ),
        ),
        transformer_decoder=dict(
            num_layers=decoder['dec_layers'],
            layer_cfg=dict(
                self_attn_cfg=dict(embed_dims=width, num_heads=decoder['nheads']),
                cross_attn_cfg=dict(embed_dims=width, num_heads=decoder['nheads']),
                ffn_cfg=_ffn(width, decoder['dim_feedforward']),
            ),
        ),
    )


@torch.no_grad()
def replay_pixel_decoder(case: Case, comparison: Comparison) -> None:
    """Mask features and the maps that queries attend to."""
    head = _head(case, 'sem_seg_head.pixel_decoder.')
    mask_features, maps = head.decode_pixels([case.inputs[f'res{level}'] for level in range(2, 6)])
    _compare_pixels('', mask_features, maps, comparison)
    comparison.close('transformer_encoder_features', maps[0])


@torch.no_grad()
def replay_frame_decoder(case: Case, comparison: Comparison) -> None:
    """The predictions of all layers from given maps."""
    head = _head(case, 'sem_seg_head.predictor.')
    mask_features = case.inputs['mask_features']
    maps = [case.inputs[f'multi_scale_features.{level}'] for level in range(3)]
    layers, last = head.decode_layers(mask_features, maps)
    compare_frame_queries('', layers, last, comparison)


@torch.no_grad()
def replay_segmenter(case: Case, comparison: Comparison) -> None:
    """Frames to feature maps to predictions."""
    config = case.config['config']
    segmenter = nn.ModuleDict(
        dict(
            backbone=MODELS.build(backbone_config(config)),
            panoptic_head=MODELS.build(head_config(config)),
        )
    )
    case.load_weights(segmenter)
    feats = segmenter['backbone'](case.inputs['images'])
    for level, feature_map in enumerate(feats, start=2):
        comparison.close(f'features.res{level}', feature_map)
    head = segmenter['panoptic_head']
    _compare_pixels('pixel.', *head.decode_pixels(feats), comparison)
    compare_frame_queries('head.', *head.forward_layers(feats), comparison)
    _compare_last('head.', head(feats), comparison)


def compare_frame_queries(
    prefix: str,
    layers: list[tuple[Tensor, Tensor]],
    last: FrameQueries,
    comparison: Comparison,
) -> None:
    """All layers against a case's outputs, whose names begin with ``prefix``."""
    for number, (class_logits, mask_embeds) in enumerate(layers[:-1]):
        masks = replace(last, mask_embeds=mask_embeds).mask_logits()
        name = f'{prefix}aux_outputs.{number}'
        comparison.close(f'{name}.pred_logits', class_logits[None])
        comparison.close(f'{name}.pred_masks', masks.transpose(0, 1)[None])  # (1, Q, T, h, w)
    _compare_last(prefix, last, comparison)


def _compare_last(prefix: str, last: FrameQueries, comparison: Comparison) -> None:
    masks = last.mask_logits().transpose(0, 1)  # (Q, T, h, w)
    comparison.close(f'{prefix}pred_logits', last.class_logits[None])
    comparison.close(f'{prefix}pred_masks', masks[None])
    comparison.close(f'{prefix}pred_embds', last.query_embeds.permute(2, 0, 1)[None])
    comparison.close(f'{prefix}mask_features', last.mask_features)


def _compare_pixels(
    prefix: str, mask_features: Tensor, maps: list[Tensor], comparison: Comparison
) -> None:
    comparison.close(f'{prefix}mask_features', mask_features)
    for level, feature_map in enumerate(maps):
        comparison.close(f'{prefix}multi_scale_features.{level}', feature_map)


def _head(case: Case, prefix: str) -> FrameQueryHead:
    """A head with a case's weights in the part that it records, the rest as initialised."""
    head = MODELS.build(head_config(case.config['config']))
    weights = case.our_weights(prefix, 'panoptic_head.')
    part = ('pixel_decoder.',) if prefix.endswith('pixel_decoder.') else _predictor_parts(head)
    others = {name: value for name, value in head.state_dict().items() if not name.startswith(part)}
    fill(head, others | weights)
    return head


def _predictor_parts(head: FrameQueryHead) -> tuple[str, ...]:
    return tuple(name for name, _ in head.named_children() if name != 'pixel_decoder')


def _swin_config(original: dict) -> dict:
    return dict(
        type='SwinTransformer',
        pretrain_img_size=original['pretrain_img_size'],
        embed_dims=original['embed_dim'],
        patch_size=original['patch_size'],
        window_size=original['window_size'],
        mlp_ratio=int(original['mlp_ratio']),
        depths=original['depths'],
        num_heads=original['num_heads'],
        strides=(original['patch_size'], 2, 2, 2),
        qkv_bias=original['qkv_bias'],
        qk_scale=original['qk_scale'],
        patch_norm=original['patch_norm'],
        drop_rate=original['drop_rate'],
        attn_drop_rate=original['attn_drop_rate'],
        drop_path_rate=original['drop_path_rate'],
        use_abs_pos_embed=original['ape'],
    )


def _ffn(width: int, hidden: int) -> dict:
    return dict(embed_dims=width, feedforward_channels=hidden, ffn_drop=0.0)


def _decoder_like(pixels: dict) -> dict:
    """The smallest decoder behind a recorded pixel decoder."""
    return dict(
        hidden_dim=pixels['conv_dim'],
        mask_dim=pixels['mask_dim'],
        nheads=1,
        dim_feedforward=1,
        dec_layers=1,
        num_queries=1,
        num_classes=1,
    )


def _pixels_like(decoder: dict) -> dict:
    """The smallest pixel decoder before a recorded decoder."""
    return dict(
        conv_dim=decoder['hidden_dim'],
        mask_dim=decoder['mask_dim'],
        nheads=1,
        dim_feedforward=1,
        enc_layers=1,
        dropout=0.0,
        num_points_per_level=1,
        num_levels=decoder['num_feature_levels'],
    )
