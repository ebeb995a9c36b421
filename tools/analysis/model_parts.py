"""The parts of each model: what is timed apart, and what torch.compile takes."""

import inspect
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

import torch
import torch._dynamo

from mmvseg.models.backbones import msgshift, vit
from mmvseg.models.heads.token_query_head import UpscaleBlock
from mmvseg.models.postprocess import query_masks, vis
from mmvseg.models.postprocess.frame_store import FrameStore
from mmvseg.models.postprocess.query_collector import QueryCollector
from mmvseg.models.postprocess.vis_collector import VISCollector
from mmvseg.models.postprocess.vps_collector import VPSCollector
from mmvseg.models.postprocess.vss_collector import VSSCollector
from mmvseg.models.segmentors import dvis_offline, eomt, minvis, tevit, token_codec
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.trackers import referring_tracker
from mmvseg.structures import FrameQueries

#: After the network: from mask logits to run-length codes.
POST = 'post-processing'
#: The part of it that published figures leave out.
RLE = 'run-length coding'


@dataclass(frozen=True)
class Part:
    """A callable of a model that is timed: ``getattr(owner, attribute)``.

    Attributes:
        name: parts of one name are one sum.
        owner: a module, class or object.
        attribute: a function, or one that returns an iterator: then its steps are timed.
        apart: whether its time is not that of the part that it runs in.
    """

    name: str
    owner: Any
    attribute: str = 'forward'
    apart: bool = False


@dataclass
class PartTime:
    """Sums over the calls of a part, its own parts included."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    calls: int = 0


@dataclass
class PartTimer(AbstractContextManager):
    """Times parts of a model by wrapping them from outside; restores them on exit.

    Args:
        parts: what to time. A part that runs inside another one is listed under it, unless it is
            to be apart.
        synchronize: waits for the device; called around every part.

    Attributes:
        times: by path, e.g. ``('box stages', 'RoIAlign')``.
    """

    parts: Sequence[Part]
    synchronize: Callable[[], None] = lambda: None
    times: dict[tuple[str, ...], PartTime] = field(default_factory=dict)
    _path: tuple[str, ...] = ()
    _replaced: list[tuple[Part, dict]] = field(default_factory=list)

    def __enter__(self) -> 'PartTimer':
        for part in self.parts:
            own = vars(part.owner)
            kept = {part.attribute: own[part.attribute]} if part.attribute in own else {}
            self._replaced.append((part, kept))
            setattr(part.owner, part.attribute, self._timed(part))
        return self

    def __exit__(self, *exception) -> None:
        for part, kept in reversed(self._replaced):
            delattr(part.owner, part.attribute)
            for name, value in kept.items():
                setattr(part.owner, name, value)
        self._replaced.clear()

    def _timed(self, part: Part) -> Callable:
        function = getattr(part.owner, part.attribute)

        def timed(*args, **kwargs) -> Any:
            with self._clock(part):
                result = function(*args, **kwargs)
            return self._timed_steps(part, result) if inspect.isgenerator(result) else result

        return timed

    def _timed_steps(self, part: Part, steps: Iterator[Any]) -> Iterator[Any]:
        """The same items; what happens between them is not timed."""
        end = object()
        while True:
            with self._clock(part, calls=0):
                item = next(steps, end)
            if item is end:
                return
            yield item

    @contextmanager
    def _clock(self, part: Part, calls: int = 1) -> Iterator[None]:
        outer = self._path
        self._path = (part.name,) if part.apart else (*outer, part.name)
        record = self.times.setdefault(self._path, PartTime())
        self.synchronize()
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
            self.synchronize()
        finally:
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            record.wall_s += wall
            record.cpu_s += cpu
            record.calls += calls
            self._path = outer
            for depth in range(len(outer) if part.apart else 0):
                self.times[outer[: depth + 1]].wall_s -= wall
                self.times[outer[: depth + 1]].cpu_s -= cpu


def parts_of(model: VideoSegmentor) -> list[Part]:
    """What is timed of a model: by its class if that is listed here, else its children."""
    for cls in type(model).__mro__:
        if cls.__name__ in _PARTS:
            return _PARTS[cls.__name__](model)
    return [
        Part(name, child)
        for name, child in model.named_children()
        if child is not model.data_preprocessor
    ]


def post_processing_of(model: VideoSegmentor) -> list[Part]:
    """The parts after the network: from mask logits to run-length codes."""
    return [part for part in parts_of(model) if part.name == POST]


def _tevit_parts(model: VideoSegmentor) -> list[Part]:
    head = model.roi_head
    return [
        Part('backbone', model.backbone),
        Part('FPN', model.neck),
        Part('box stages', head, 'predict_queries'),
        Part('RoIAlign', head.bbox_roi_extractor),
        Part('mask branch', head, 'predict_masks'),
        Part('RoIAlign', head.mask_roi_extractor),
        Part(POST, tevit, 'paste_and_encode'),
        Part('paste', vis, '_paste_columns'),
        Part(RLE, vis, 'encode_columns'),
    ]


def _minvis_parts(model: VideoSegmentor) -> list[Part]:
    return [
        *_segmenter_parts(model),
        Part('matching', minvis, 'chain_queries'),
        *_collector_parts(model),
    ]


def _dvis_online_parts(model: VideoSegmentor) -> list[Part]:
    return [*_segmenter_parts(model), *_tracker_parts(model), *_collector_parts(model)]


def _dvis_offline_parts(model: VideoSegmentor) -> list[Part]:
    methods = ('forward', 'normalise', 'classify', 'embed_masks')
    return [
        *_segmenter_parts(model),
        *_tracker_parts(model),
        Part('refer to self', model.tracker, 'refer_to_self'),
        *(Part('refiner', model.refiner, method) for method in methods),
        Part(POST, FrameStore, 'append'),
        Part(POST, dvis_offline, 'encode_video'),
        Part(POST, dvis_offline, 'segment_video'),
        Part(POST, dvis_offline, 'classify_video'),
        Part(RLE, query_masks, 'encode_columns'),
    ]


def _token_parts(model: VideoSegmentor) -> list[Part]:
    """Of EoMT, and of VidEoMT and PMT, which propagate queries instead of matching them."""
    propagation = [Part('propagation', model, 'propagate')] if hasattr(model, 'propagate') else []
    return [
        Part('encoder', model, 'encode'),
        Part('query blocks', model, 'decode'),
        Part('heads', model, 'read_patches'),
        *propagation,
        Part('matching', eomt, 'chain_queries'),
        # At the end of a video, but as much network as the rest.
        Part('upscaling', model.panoptic_head, 'strips', apart=True),
        Part('masks', token_codec, 'decode_masks'),
        *_collector_parts(model),
    ]


def _segmenter_parts(model: VideoSegmentor) -> list[Part]:
    return [
        Part('backbone', model.backbone),
        Part('pixel decoder', model.panoptic_head, 'decode_pixels'),
        Part('frame decoder', model.panoptic_head, '_decode_queries'),
    ]


def _tracker_parts(model: VideoSegmentor) -> list[Part]:
    methods = ('forward', 'normalise', 'classify', 'embed_masks')
    return [
        *(Part('tracker', model.tracker, method) for method in methods),
        Part('matching', referring_tracker, 'match_frames'),
    ]


def _collector_parts(model: VideoSegmentor) -> list[Part]:
    collectors = dict(vis=VISCollector, vps=VPSCollector, vss=VSSCollector)
    return [
        Part(POST, FrameQueries, 'mask_logits'),
        Part(POST, QueryCollector, 'add'),
        Part('storing', FrameStore, 'append'),
        Part(POST, collectors[model.task], 'result'),
        Part(RLE, query_masks, 'encode_columns'),
    ]


_PARTS: dict[str, Callable[[VideoSegmentor], list[Part]]] = {
    'TeViT': _tevit_parts,
    'MinVIS': _minvis_parts,
    'DVISOnline': _dvis_online_parts,
    'DVISOffline': _dvis_offline_parts,
    'EoMT': _token_parts,
}


def compile_targets(model: VideoSegmentor) -> list[Part]:
    """What torch.compile takes: no Python loop over frames, no sizes that depend on data."""
    for cls in type(model).__mro__:
        if cls.__name__ in _COMPILED:
            return _COMPILED[cls.__name__](model)
    return parts_of(model)


def _tevit_compiled(model: VideoSegmentor) -> list[Part]:
    # A block serves all stages and chunks of frames; compiled whole, the backbone unrolls them.
    backbone = Part('blocks', msgshift, 'block_forward')
    if not isinstance(model.backbone, msgshift.MsgShifT):
        backbone = Part('backbone', model.backbone)
    heads = model.roi_head.bbox_head
    return [
        backbone,
        Part('FPN', model.neck),
        *(Part('attention', head, 'attend') for head in heads),
        *(Part('dynamic convolution', head, 'interact') for head in heads),
        Part('mask head', model.roi_head.mask_head[-1], 'class_logits'),
    ]


def _dvis_compiled(model: VideoSegmentor) -> list[Part]:
    # Tracker and refiner run once for each number of frames; their blocks are small.
    return [
        Part('backbone', model.backbone),
        Part('pixel decoder', model.panoptic_head.pixel_decoder),
    ]


def _token_compiled(model: VideoSegmentor) -> list[Part]:
    # A block serves all depths, a strip is a whole frame on a GPU.
    return [
        Part('blocks', vit.Block),
        Part('upscaling', UpscaleBlock, 'enlarge'),
        Part('upscaling', UpscaleBlock, 'smooth'),
    ]


_COMPILED: dict[str, Callable[[VideoSegmentor], list[Part]]] = {
    'TeViT': _tevit_compiled,
    'MinVIS': _dvis_compiled,
    'DVISOnline': _dvis_compiled,
    'DVISOffline': _dvis_compiled,
    'EoMT': _token_compiled,
}


def graph_targets(model: VideoSegmentor) -> list[Part]:
    """What a CUDA graph may hold: fixed sizes, nothing that asks the device; empty if unknown."""
    if not isinstance(model, eomt.EoMT):
        return []
    propagates = hasattr(model, 'propagate') and not model.frames_alone
    return [Part('encoder', model, 'encode'), Part('step', model, 'step' if propagates else 'find')]


def compile_model(model: VideoSegmentor, graphs: bool = False) -> None:
    """Replace parts of the model for the rest of the process.

    Args:
        model: its :func:`compile_targets` are compiled.
        graphs: compile its :func:`graph_targets` instead, into CUDA graphs where there is a GPU.
    """
    # Stages, chunk lengths and precisions: more variants than torch allows by default.
    torch._dynamo.config.cache_size_limit = 64
    mode = 'reduce-overhead' if graphs else None
    for part in graph_targets(model) if graphs else compile_targets(model):
        compiled = torch.compile(getattr(part.owner, part.attribute), dynamic=False, mode=mode)
        setattr(part.owner, part.attribute, _copying(compiled) if graphs else compiled)


def _copying(function: Callable) -> Callable:
    """The next run of a CUDA graph writes over the results of the last, so they are copied."""

    def call(*args: Any) -> Any:
        torch.compiler.cudagraph_mark_step_begin()
        return _copied(function(*args))

    return call


def _copied(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return value.clone()
    if isinstance(value, tuple):
        return tuple(map(_copied, value))
    if is_dataclass(value):
        return replace(value, **{f.name: _copied(getattr(value, f.name)) for f in fields(value)})
    return value
