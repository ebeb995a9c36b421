"""The manifest of a model: what of its config counts at inference."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import msgspec
from mmengine.config import Config

from mmvseg.datasets.transforms import ResizeClip
from mmvseg.deploy.frames import FrameGeometry
from mmvseg.deploy.manifest import Clip, Input, Kind, Manifest, Report
from mmvseg.engine.config import require
from mmvseg.errors import UserError
from mmvseg.models.segmentors import (
    DVISOffline,
    DVISOnline,
    EoMT,
    ImageEoMT,
    MinVIS,
    TeViT,
    VidEoMT,
    VideoSegmentor,
)
from mmvseg.registry import MODELS, TRANSFORMS

#: Transforms of test pipelines that change no pixel.
_HARMLESS = {'LoadClip', 'LoadPanopticClip', 'LoadSemanticClip', 'LoadSTEPClip', 'PackClip'}
_KINDS: dict[type[VideoSegmentor], Kind] = {
    MinVIS: 'matched',
    DVISOnline: 'tracked',
    DVISOffline: 'refined',
    VidEoMT: 'propagated',  # and PMT
    EoMT: 'matched',
    TeViT: 'clip',
}


def require_exportable(cfg: Config, source: str) -> None:
    """Refuse models that are none of videos before they are built.

    Args:
        cfg: the config.
        source: what the user named.

    Raises:
        UserError: saying which model it is and which can be exported.
    """
    require(cfg, 'model', 'test_dataloader.dataset')
    name = cfg.model.get('type')
    model = MODELS.get(name) if isinstance(name, str) else name
    if model is None:
        return  # building it says what is wrong
    if not issubclass(model, tuple(_KINDS)) or issubclass(model, ImageEoMT):
        raise UserError(
            f'{source}: {model.__name__} segments single images; models of videos can be '
            f'exported: {", ".join(kind.__name__ for kind in _KINDS)} and PMT'
        )


def resizing(cfg: Config) -> dict[str, Any]:
    """How the test pipeline of a config resizes frames: ``scale`` and ``backend``.

    Raises:
        UserError: it does something else to them, too, draws a size, or resizes them by torch.
    """
    dataset = cfg.test_dataloader.dataset
    while 'dataset' in dataset:
        dataset = dataset.dataset
    found = dict(scale=None, backend='cv2')
    for transform in dataset.pipeline:
        if transform['type'] in _HARMLESS:
            continue
        built = TRANSFORMS.build(transform)
        if not isinstance(built, ResizeClip) or len(built.scales) != 1 or found['scale']:
            raise UserError(
                f'test_dataloader.dataset.pipeline: {transform["type"]} cannot be exported; what '
                'is exported may resize frames once, to one scale, by ResizeClip'
            )
        if built.backend == 'torch':
            raise UserError(
                "test_dataloader.dataset.pipeline: ResizeClip(backend='torch') needs torch, which "
                "exported models do without; give it backend='pillow', which averages likewise"
            )
        found = dict(scale=built.scales[0], backend=built.backend)
    return found


def describe(
    model: VideoSegmentor,
    metainfo: Mapping[str, Any],
    resized: Mapping[str, Any],
    size: tuple[int, int],
    dynamic: bool = False,
    num_frames: int | None = None,
) -> Manifest:
    """The manifest of a model.

    Args:
        model: the model.
        metainfo: of :class:`mmvseg.apis.VideoSegInferencer`.
        resized: of :func:`resizing`.
        size: the other arguments are those of :func:`mmvseg.deploy.export.export_model`.
        dynamic: likewise.
        num_frames: likewise.

    Raises:
        UserError: ``num_frames`` is given for a model that takes single frames, or is no more than
            clips share.
    """
    kind = kind_of(model)
    if kind != 'clip' and num_frames:
        raise UserError(
            f'--frames: a {type(model).__name__} takes one frame after the other; leave it out'
        )
    preprocessor = model.data_preprocessor
    taken = Input(
        mean=tuple(preprocessor.mean.flatten().tolist()),
        std=tuple(preprocessor.std.flatten().tolist()),
        divisor=preprocessor.pad_size_divisor,
        size=None,
        **resized,
    )
    if not dynamic:
        taken.size = FrameGeometry.of(size, taken).padded
    things = metainfo.get('thing_classes')
    return Manifest(
        model=type(model).__name__,
        kind=kind,
        task=model.task,
        num_queries=_num_queries(model),
        classes=list(metainfo['classes']),
        category_ids=[int(number) for number in metainfo['category_ids']],
        palette=[tuple(int(value) for value in colour) for colour in metainfo['palette']],
        thing_classes=None if things is None else list(things),
        input=taken,
        report=_report(model),
        alignment=model.tracker.alignment if hasattr(model, 'tracker') else 'true',
        clip=_clip(model, num_frames) if kind == 'clip' else None,
    )


def kind_of(model: VideoSegmentor) -> Kind:
    """How the frames of a model are tied together."""
    if getattr(model, 'frames_alone', False):
        return 'matched'
    return next(kind for known, kind in _KINDS.items() if isinstance(model, known))


def _num_queries(model: VideoSegmentor) -> int:
    if isinstance(model, TeViT):
        return model.rpn_head.init_proposal_bboxes.num_embeddings
    return model.panoptic_head.query_feat.num_embeddings


def _report(model: VideoSegmentor) -> Report:
    settings = {item.name: getattr(model.test_cfg, item.name) for item in fields(model.test_cfg)}
    for key in ('mask_memory_mb', 'feature_memory_mb'):
        if key in settings:
            settings['memory_mb'] = settings[key]
    settings['max_per_stretch'] = settings['max_per_stretch'] or 0
    known = {item.name for item in msgspec.structs.fields(Report)}
    return Report(**{key: value for key, value in settings.items() if key in known})


def _clip(model: TeViT, num_frames: int | None) -> Clip:
    settings = model.test_cfg
    if num_frames is not None:
        settings = replace(settings, clip_frames=num_frames)
    if settings.overlap >= settings.clip_frames:
        raise UserError(
            f'--frames {num_frames}: clips of the config share {settings.overlap} frames; give '
            'more --frames, or fewer with --cfg-options model.test_cfg.clip_overlap=N'
        )
    return Clip(
        frames=settings.clip_frames,
        overlap=settings.overlap,
        mask_threshold=settings.mask_thr_binary,
        fixed=num_frames is not None,
    )
