"""Counting a model's floating-point operations with torch's counter, without doing them."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from measure import make_window
from mmdet.models import MaskFormerFusionHead
from mmdet.models.detectors import BaseDetector
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from mmvseg.checkpoints.skeleton import build_skeleton
from mmvseg.engine.config import config_errors
from mmvseg.errors import UserError
from mmvseg.models.postprocess.query_collector import decode_masks
from mmvseg.models.segmentors.base import VideoSegmentor

COUNTED = (
    'matrix products and convolutions, attention among them, a multiplication and an addition as '
    'two operations; backbone, heads, tracking and the masks of the queries at the size that the '
    'network gives, as inference computes them (for panoptic segments: masks of all queries)'
)
NOT_COUNTED = (
    "what torch's counter does not know: element-wise operations, norms, softmax, biases, "
    'resizing, and the weighted sums of deformable attention and RoIAlign (bilinear sampling); '
    'the assignment of the matching; and post-processing, from masks at that size '
    'to coded results'
)
#: Products of the network that no module does: masks from queries, similarities of queries.
PRODUCTS = '(masks of queries, matching)'
_TOTAL, _POST = 'Global', '(post-processing)'
_POST_PACKAGE = 'mmvseg.models.postprocess.'


@dataclass(frozen=True)
class Operations:
    """What a clip costs.

    Attributes:
        total: floating-point operations of the network.
        by_module: the same by dotted name, each with all that is inside of it; ``PRODUCTS`` for
            what is in no module.
        post_processing: what torch's counter saw of post-processing; not in the total.
    """

    total: int
    by_module: dict[str, int]
    post_processing: int


# Models without values


def build_model(cfg: Config) -> nn.Module:
    """The config's model in eval mode, which takes no memory.

    Every vector of parameters is ones and everything else zeros, so that no norm gives vectors of
    zeros, which have no direction.

    Raises:
        UserError: for a config without a model, or with a mistyped one.
    """
    if not cfg.get('model'):
        raise UserError(f'config {cfg.filename}: has no model; name a config of a whole model')
    init_default_scope('mmvseg')  # mmdet's models look up their parts in the current scope
    with config_errors(cfg):
        model = build_skeleton(_report_all_segments(cfg.model))
    values = {
        name: torch.full((), float(tensor.dim() == 1), dtype=tensor.dtype).expand(tensor.shape)
        for name, tensor in model.state_dict().items()
        if tensor.is_meta
    }
    model.load_state_dict(values, strict=False, assign=True)
    return model.requires_grad_(False).eval()


def _report_all_segments(model: dict) -> dict:
    """Without trained classes no query would be sure enough to become a panoptic segment."""
    settings = model.get('test_cfg') or {}
    if settings.get('task') == 'vps':
        model = dict(model, test_cfg=dict(settings, object_mask_threshold=0.0))
    return model


def run_model(model: nn.Module, num_frames: int, size: tuple[int, int]) -> None:
    """Let a model predict a video of noise, or as many images.

    Args:
        model: of videos or, from mmdet, of images.
        num_frames: length of the video.
        size: (h, w) of frames, resized and not padded.
    """
    window = make_window(num_frames, size, size)
    if isinstance(model, VideoSegmentor):
        model.predict([window])
        return
    metainfo = dict(img_shape=size, ori_shape=size, scale_factor=(1.0, 1.0), img_id=1)
    for frame in window.frames:
        model.test_step(dict(inputs=[frame], data_samples=[DetDataSample(metainfo=metainfo)]))


def padded_size(model: nn.Module, size: tuple[int, int]) -> tuple[int, int]:
    """(H, W) as the network takes frames of (h, w)."""
    divisor = model.data_preprocessor.pad_size_divisor
    return tuple(-(-length // divisor) * divisor for length in size)


# Counting


def count_clip(model: nn.Module, num_frames: int, size: tuple[int, int]) -> Operations:
    """The operations of a clip.

    Args:
        model: of :func:`build_model`.
        num_frames: length of the clip.
        size: (h, w) of its frames, resized and not padded.

    Raises:
        UserError: for a length or size below 1, or a model that is neither of videos nor of images.
    """
    if num_frames < 1:
        raise UserError(f'--frames {num_frames}: a clip has at least 1 frame')
    if min(size) < 1:
        raise UserError(f'--size {size[0]} {size[1]}: height and width are at least 1')
    if not isinstance(model, VideoSegmentor | BaseDetector):
        raise UserError(f'model.type: {type(model).__name__} is no model of videos or images')
    return count(model, lambda: run_model(model, num_frames, size))


def count(model: nn.Module, run: Callable[[], Any]) -> Operations:
    """The operations of whatever ``run`` does with the model."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _Place(model)
    with torch.no_grad(), _visible_attention(), _SkipProducts(), counter:
        run()
    sums = {name: sum(by_kind.values()) for name, by_kind in counter.get_flop_counts().items()}
    total, post_processing = sums.pop(_TOTAL, 0), sums.pop(_POST, 0)
    return Operations(total, sums, post_processing)


class _SkipProducts(TorchDispatchMode):
    """Replaces the results of all counted operations by zeros; everything else is computed.

    Unlike torch's fake tensors this has values for whatever asks: top-k, matching, sizes of boxes.
    """

    def __torch_dispatch__(
        self, func: Any, types: Iterable[type], args: tuple = (), kwargs: dict | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if func._overloadpacket not in flop_registry:
            return func(*args, **kwargs)
        args, kwargs = tree_map_only(Tensor, lambda tensor: tensor.to('meta'), (args, kwargs))
        result = func(*args, **kwargs)
        return tree_map_only(Tensor, lambda tensor: torch.zeros_like(tensor, device='cpu'), result)


class _Place:
    """Tells the counter which module is at work, in place of torch's ModuleTracker.

    That one knows only calls of modules. Here modules also work in other methods, or lend their
    parameters to functions, so this looks for the innermost running function whose first argument
    is a module.
    """

    def __init__(self, model: nn.Module) -> None:
        self._names = {module: name for name, module in model.named_modules() if name}

    def __enter__(self) -> '_Place':
        return self

    def __exit__(self, *error) -> None:
        pass

    @property
    def parents(self) -> set[str]:
        """All names that an operation counts for."""
        place = self._innermost()
        if place == _POST:
            return {_POST}
        parts = place.split('.')
        return {_TOTAL} | {'.'.join(parts[:depth]) for depth in range(1, len(parts) + 1)}

    def _innermost(self) -> str:
        frame = sys._getframe()
        while frame := frame.f_back:
            if frame.f_code is decode_masks.__code__:
                return PRODUCTS
            if frame.f_globals.get('__name__', '').startswith(_POST_PACKAGE):
                return _POST
            names = frame.f_code.co_varnames[: frame.f_code.co_argcount]
            owner = frame.f_locals.get(names[0]) if names else None
            if isinstance(owner, MaskFormerFusionHead):
                return _POST
            if isinstance(owner, nn.Module) and owner in self._names:
                return self._names[owner]
        return PRODUCTS


@contextmanager
def _visible_attention() -> Iterator[None]:
    """Attention as products: the counter does not know torch's fused kernels of the CPU."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
