"""How published code bases name the parameters of a whole model."""

import re
from collections.abc import Iterable

from .dvis import DVISRefiner, DVISTracker
from .layout import Layout
from .mask2former import Mask2FormerHead
from .parts import Part
from .pvtv2 import OfficialPVTv2
from .resnet import Detectron2ResNet
from .swin import OfficialSwin
from .vit_layouts import (
    DINOV2,
    DINOV2_TIMM,
    DINOV3_OFFICIAL,
    DINOV3_TRANSFORMERS,
    EOMT_DINOV2,
    EOMT_DINOV3,
    EOMT_TRANSFORMERS,
    PMT_DINOV2,
    PMT_DINOV3,
    PMT_IMAGE,
    VIDEOMT_DINOV2,
    VIDEOMT_DINOV3,
    VIDEOMT_TRANSFORMERS,
)

_DETECTRON2_BUFFERS = re.compile(r'criterion\.empty_weight|pixel_(mean|std)')
_CLASS_MARK = 'roi_head.bbox_head.0.fc_cls.weight'
_SWIN_MARK = 'layers.0.blocks.0.attn.qkv.weight'
_MMDET_SWIN_MARK = 'stages.0.blocks.0.attn.w_msa.qkv.weight'
_CLASSIFIER = r'(head|fc|norm)\..+|layers\.\d+\.blocks\.\d+\.attn_mask'
_SAME = Part()


def _detectron2(name: str, backbone: Part, mark: str, our_mark: str) -> Layout:
    return Layout(
        name,
        (
            ('backbone.', 'backbone.', backbone),
            ('sem_seg_head.', 'panoptic_head.', Mask2FormerHead()),
            ('tracker.', 'tracker.', DVISTracker()),
            ('refiner.', 'refiner.', DVISRefiner()),
        ),
        marks=('sem_seg_head.pixel_decoder.mask_features.weight', f'backbone.{mark}'),
        our_marks=('panoptic_head.query_feat.weight', f'backbone.{our_mark}'),
        unused=_DETECTRON2_BUFFERS,
        noted=_DETECTRON2_BUFFERS,
    )


DETECTRON2_RESNET = _detectron2(
    'detectron2-resnet', Detectron2ResNet(), 'stem.conv1.weight', 'conv1.weight'
)
DETECTRON2_SWIN = _detectron2('detectron2-swin', OfficialSwin(), _SWIN_MARK, _MMDET_SWIN_MARK)
MMDET = Layout(
    'mmdet2',
    (('', '', _SAME),),
    marks=(_CLASS_MARK,),
    our_marks=(_CLASS_MARK,),
    wrapper='state_dict',
)
MMDET_OFFICIAL_SWIN = Layout(
    'mmdet2-official-swin',
    (('backbone.', 'backbone.', OfficialSwin()), ('', '', _SAME)),
    marks=(_CLASS_MARK, f'backbone.{_SWIN_MARK}'),
    our_marks=(),  # the TeViT release names its Swin as mmdet does
    wrapper='state_dict',
)
PVTV2 = Layout(
    'pvtv2',
    (('', 'backbone.', OfficialPVTv2()),),
    marks=('patch_embed1.proj.weight',),
    our_marks=('backbone.layers.0.0.projection.weight',),
    unused=re.compile(r'head\..+'),
    wrapper=None,
)
SWIN = Layout(
    'swin',
    (('', 'backbone.', OfficialSwin()),),
    marks=(_SWIN_MARK,),
    our_marks=(f'backbone.{_MMDET_SWIN_MARK}',),
    unused=re.compile(_CLASSIFIER),
)
TORCHVISION_RESNET = Layout(
    'torchvision-resnet',
    (('', 'backbone.', _SAME),),
    marks=('layer1.0.conv1.weight',),
    our_marks=('backbone.layer1.0.conv1.weight',),
    unused=re.compile(r'fc\..+'),
    wrapper=None,
)
DETECTRON2_IMAGENET = Layout(
    'detectron2-imagenet-resnet',
    (('', 'backbone.', Detectron2ResNet()),),
    marks=('res2.0.conv1.weight',),
    our_marks=(),  # torchvision's are the same weights
    unused=re.compile(r'(stem\.)?fc\..+'),
)
MMVSEG = Layout(
    'mmvseg',
    (('', '', _SAME),),
    marks=('panoptic_head.query_feat.weight',),
    our_marks=(),
    wrapper='state_dict',
)

#: Layouts of each published system, as ``--from`` names them.
SOURCES: dict[str, tuple[Layout, ...]] = dict(
    tevit=(MMDET_OFFICIAL_SWIN, MMDET),
    queryinst=(MMDET_OFFICIAL_SWIN, MMDET),
    mask2former=(DETECTRON2_RESNET, DETECTRON2_SWIN),
    minvis=(DETECTRON2_RESNET, DETECTRON2_SWIN),
    dvis=(DETECTRON2_RESNET, DETECTRON2_SWIN),
    pvtv2=(PVTV2,),
    swin=(SWIN,),
    resnet=(TORCHVISION_RESNET, DETECTRON2_IMAGENET),
    pmt=(PMT_DINOV2, PMT_DINOV3, PMT_IMAGE),
    videomt=(VIDEOMT_DINOV2, VIDEOMT_DINOV3, VIDEOMT_TRANSFORMERS),
    eomt=(EOMT_DINOV2, EOMT_DINOV3, EOMT_TRANSFORMERS),
    dinov2=(DINOV2, DINOV2_TIMM),
    dinov3=(DINOV3_OFFICIAL, DINOV3_TRANSFORMERS),
    mmvseg=(MMVSEG,),
)
#: Sources of backbones alone.
BACKBONES = ('pvtv2', 'swin', 'resnet', 'dinov2', 'dinov3')
_BACKBONE_LAYOUTS = [layout for name in BACKBONES for layout in SOURCES[name]]
LAYOUTS = {layout.name: layout for layouts in SOURCES.values() for layout in layouts}


def sources_of(layout: Layout) -> str:
    """The layout with the published systems that have it, for messages."""
    return f'{layout.name} ({", ".join(s for s in SOURCES if layout in SOURCES[s])})'


def recognise(names: Iterable[str], source: str = 'auto') -> Layout | None:
    """The layout of published names.

    Args:
        names: of a checkpoint's weights.
        source: one of :data:`SOURCES`, or ``auto`` for all of them.

    Returns:
        The layout; None if it is none of them.
    """
    names = set(names)
    fitting = (layout for layout in _layouts(source) if names.issuperset(layout.marks))
    return next(fitting, None)


def recognise_ours(names: Iterable[str], source: str = 'auto') -> Layout | None:
    """The published layout that belongs to our names, see :func:`recognise`."""
    names = set(names)
    backbone_alone = all(name.startswith('backbone.') for name in names)
    fitting = (
        layout
        for layout in _layouts(source)
        if layout.our_marks
        and names.issuperset(layout.our_marks)
        and (backbone_alone or layout not in _BACKBONE_LAYOUTS)
    )
    return next(fitting, None)


def _layouts(source: str) -> Iterable[Layout]:
    return LAYOUTS.values() if source == 'auto' else SOURCES[source]
