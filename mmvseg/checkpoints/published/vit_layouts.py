"""How DINOv2, DINOv3, EoMT, VidEoMT and PMT name the parameters of whole models."""

import re
from typing import Any

from .layout import Layout
from .parts import Part
from .videomt import PMTDecoder, QueryHead, TransformersQueryViT
from .vit import DINOv3, DINOv3Blocks, OfficialDINOv2, OfficialDINOv3, TimmDINOv2

#: What the licence of DINOv3's weights asks of whoever passes them, or what comes of them, on.
DINOV3_TERMS = (
    'DINOv3 License: these weights, and what is made from them, may be passed on only under it and '
    'with a copy of it; publications have to name it'
)
_DINOV3_MARK = 'backbone.blocks.0.attn.q_bias'
DINOV2_TIMM = Layout(
    'dinov2-timm',
    (('', 'backbone.', TimmDINOv2()),),
    marks=('reg_token', 'pos_embed', 'blocks.0.ls1.gamma'),
    our_marks=('backbone.register_tokens', 'backbone.pos_embed'),
    wrapper=None,
)
DINOV2 = Layout(
    'dinov2',
    (('', 'backbone.', OfficialDINOv2()),),
    marks=('register_tokens', 'pos_embed', 'blocks.0.ls1.gamma'),
    our_marks=(),  # timm's are the same weights
    unused=re.compile('mask_token'),
    noted=re.compile('mask_token'),
    wrapper=None,
)
DINOV3_TRANSFORMERS = Layout(
    'dinov3-transformers',
    (('', 'backbone.', DINOv3('embeddings', 'layer')),),
    marks=('embeddings.register_tokens', 'layer.0.attention.o_proj.weight'),
    our_marks=('backbone.register_tokens', _DINOV3_MARK),
    unused=re.compile(r'embeddings\.mask_token'),
    noted=re.compile(r'embeddings\.mask_token'),
    wrapper=None,
    terms=DINOV3_TERMS,
)
_DINOV3_BUFFERS = re.compile(r'mask_token|rope_embed\.periods')
DINOV3_OFFICIAL = Layout(
    'dinov3',
    (('', 'backbone.', OfficialDINOv3()),),
    marks=('storage_tokens', 'blocks.0.attn.qkv.weight'),
    our_marks=(),  # transformers' are the same weights
    unused=_DINOV3_BUFFERS,
    noted=_DINOV3_BUFFERS,
    wrapper=None,
    terms=DINOV3_TERMS,
)

_OUR_QUERIES = 'panoptic_head.query_feat.weight'
#: Found in files of the three, and nothing that their models here use.
_QUERY_VIT_BUFFERS = re.compile(
    r'criterion\.empty_weight|(backbone|network)\.'
    r'(encoder\.pixel_(mean|std)|(decoder\.)?attn_mask_probs|rope\..+)'
)
_EOMT_BUFFERS = re.compile(r'criterion\.empty_weight|network\.encoder\.pixel_(mean|std)')
_TRANSFORMERS_BUFFERS = re.compile(r'criterion\.empty_weight|embeddings\.mask_token')


def _query_vit(
    name: str,
    network: str,
    vit: Part,
    rest: tuple[tuple[str, str, Part], ...],
    marks: tuple[str, ...],
    our_marks: tuple[str, ...],
    **options: Any,
) -> Layout:
    """A layout of EoMT, VidEoMT or PMT, which call the whole network ``network``."""
    return Layout(
        name,
        ((f'{network}.encoder.backbone.', 'backbone.', vit), *rest),
        marks=tuple(f'{network}.{mark}' for mark in marks),
        our_marks=(_OUR_QUERIES, 'backbone.register_tokens', *our_marks),
        **(dict(unused=_QUERY_VIT_BUFFERS, noted=_QUERY_VIT_BUFFERS) | options),
    )


def _pmt_decoder(network: str) -> tuple[tuple[str, str, Part], ...]:
    return (
        (f'{network}.decoder.blocks.', 'decoder.blocks.', DINOv3Blocks()),
        (f'{network}.', '', PMTDecoder()),
    )


_DINOV2_TOKENS = 'encoder.backbone.reg_token'
_DINOV3_TOKENS = 'encoder.backbone.patch_embed.register_tokens'
_TIMM, _RENAMED = TimmDINOv2(), DINOv3('patch_embed', 'blocks')
PMT_DINOV2 = _query_vit(
    'pmt-dinov2',
    'backbone',
    _TIMM,
    _pmt_decoder('backbone'),
    ('decoder.q.weight', _DINOV2_TOKENS),
    ('laterals.0.scale', 'backbone.pos_embed'),
)
PMT_DINOV3 = _query_vit(
    'pmt-dinov3',
    'backbone',
    _RENAMED,
    _pmt_decoder('backbone'),
    ('decoder.q.weight', _DINOV3_TOKENS),
    ('laterals.0.scale', _DINOV3_MARK),
    terms=DINOV3_TERMS,
)
PMT_IMAGE = Layout(
    'pmt-image',
    _pmt_decoder('network'),
    marks=('network.decoder.q.weight',),
    our_marks=(),  # PMT's models here are those of videos
    unused=_QUERY_VIT_BUFFERS,
    noted=_QUERY_VIT_BUFFERS,
    wrapper='state_dict',
    encoder='absent',
    terms=DINOV3_TERMS,
)
_VIDEOMT_HEAD = (('backbone.', '', QueryHead()),)
VIDEOMT_DINOV2 = _query_vit(
    'videomt-dinov2',
    'backbone',
    _TIMM,
    _VIDEOMT_HEAD,
    ('q.weight', _DINOV2_TOKENS),
    ('query_updater.weight', 'backbone.pos_embed'),
)
VIDEOMT_DINOV3 = _query_vit(
    'videomt-dinov3',
    'backbone',
    _RENAMED,
    _VIDEOMT_HEAD,
    ('q.weight', _DINOV3_TOKENS),
    ('query_updater.weight', _DINOV3_MARK),
    terms=DINOV3_TERMS,
)
_TRANSFORMERS_MARKS = ('embeddings.position_embeddings.weight', 'class_predictor.weight')
VIDEOMT_TRANSFORMERS = Layout(
    'videomt-transformers',
    (('', '', TransformersQueryViT()),),
    marks=(*_TRANSFORMERS_MARKS, 'query_updater.weight'),
    our_marks=(),  # the authors' are the same weights
    unused=re.compile(f'{_TRANSFORMERS_BUFFERS.pattern}|attn_mask_probs'),
    noted=re.compile(f'{_TRANSFORMERS_BUFFERS.pattern}|attn_mask_probs'),
    wrapper=None,
)
_EOMT_HEAD = (('network.', '', QueryHead()),)
EOMT_DINOV2 = _query_vit(
    'eomt-dinov2',
    'network',
    _TIMM,
    _EOMT_HEAD,
    ('q.weight', _DINOV2_TOKENS),
    ('mask_probabilities', 'backbone.pos_embed'),
    unused=_EOMT_BUFFERS,
    noted=_EOMT_BUFFERS,
    wrapper=None,
)
EOMT_DINOV3 = _query_vit(
    'eomt-dinov3',
    'network',
    _RENAMED,
    _EOMT_HEAD,
    ('q.weight', _DINOV3_TOKENS),
    ('mask_probabilities', _DINOV3_MARK),
    unused=_EOMT_BUFFERS,
    noted=_EOMT_BUFFERS,
    wrapper=None,
    encoder='difference',
    terms=DINOV3_TERMS,
)
EOMT_TRANSFORMERS = Layout(
    'eomt-transformers',
    (('', '', TransformersQueryViT()),),
    marks=_TRANSFORMERS_MARKS,
    our_marks=(),
    unused=_TRANSFORMERS_BUFFERS,
    noted=_TRANSFORMERS_BUFFERS,
    wrapper=None,
)
