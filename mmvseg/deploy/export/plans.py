"""Which networks a model is, and with which inputs they are traced and checked."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from mmvseg.deploy.frames import FrameGeometry
from mmvseg.deploy.manifest import Manifest
from mmvseg.errors import UserError
from mmvseg.models.backbones.vit import DINOViT
from mmvseg.models.segmentors import EoMT, TeViT

from . import clips, networks
from .tracing import number, sides

#: Frames of the example of a network that takes many: no special number, such as 1.
_FRAMES, _OBJECTS = 3, 5


@dataclass
class Plan:
    """A network to export.

    Attributes:
        name: of the network, and of its file.
        network: the module.
        example: inputs to trace with.
        other: other inputs, to check with.
        dynamic: the axes of each input that may change; None: none.
        defaults: values of inputs that need not be given.
    """

    name: str
    network: nn.Module
    example: Sequence[Tensor]
    other: Sequence[Tensor]
    dynamic: Sequence[Mapping[int, Any] | None] | None = None
    defaults: Mapping[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.network.eval()


def plans(model: nn.Module, manifest: Manifest, size: tuple[int, int]) -> Iterator[Plan]:
    """The networks of a model in order.

    Args:
        model: in inference mode; changed, so that it can be traced.
        manifest: its description.
        size: (height, width) of videos.
    """
    dynamic = manifest.input.size is None
    geometry = FrameGeometry.of(size, manifest.input)
    if isinstance(model, TeViT):
        return _clip_plans(model, manifest, geometry, dynamic)
    _settle_positions(model, geometry, dynamic)
    return _frame_plans(model, manifest, geometry, dynamic)


def _frame_plans(
    model: nn.Module, manifest: Manifest, geometry: FrameGeometry, dynamic: bool
) -> Iterator[Plan]:
    draw = _drawing()
    shape, other = (1, 3, *geometry.padded), (1, 3, *_other_size(manifest, geometry))
    axes = [sides(manifest.input.divisor)] if dynamic else None
    if manifest.kind == 'propagated':
        queries = networks.learned_queries(model)
        yield Plan(
            'frame',
            networks.PropagatedFrame(model),
            (draw(*shape), queries),
            (draw(*other), queries + 0.1 * draw(*queries.shape)),
            axes and [*axes, None],
            {'queries': queries},
        )
        return
    kind = networks.TokenFrame if isinstance(model, EoMT) else networks.MaskedAttentionFrame
    yield Plan('frame', kind(model), (draw(*shape),), (draw(*other),), axes)
    if manifest.kind == 'matched':
        return
    one = (1, manifest.num_queries, model.tracker.embed_dims)
    first, later = torch.tensor([True]), torch.tensor([False])
    yield Plan(
        'tracker',
        networks.TrackerStep(model.tracker),
        (draw(*one), draw(*one), draw(*one), first),
        (draw(*one), draw(*one), draw(*one), later),
    )
    if manifest.kind == 'refined':
        examples = (
            [draw(1, frames, *one[1:]) for _ in range(2)] for frames in (_FRAMES, 2 * _FRAMES)
        )
        time = {1: number('frames')}
        yield Plan('refiner', networks.Refiner(model.refiner), *examples, [time, time])


def _clip_plans(
    model: TeViT, manifest: Manifest, geometry: FrameGeometry, dynamic: bool
) -> Iterator[Plan]:
    draw = _drawing()
    clips.make_traceable(model)
    fixed = manifest.clip.fixed
    T = manifest.clip.frames if fixed else _FRAMES
    example = draw(T, 3, *geometry.padded)
    other = draw(T if fixed else T + 1, 3, *_other_size(manifest, geometry))
    time = {} if fixed else {0: number('frames')}
    axes = sides(manifest.input.divisor) if dynamic else {}
    image_size = torch.tensor(geometry.resized, dtype=torch.float32)
    network = clips.ClipQueries(model)
    yield Plan('clip', network, (example, image_size), (other, image_size), [time | axes, None])
    objects = time | {1: number('objects')}
    maps = [
        # the sides of a map are multiples of nothing
        time | ({2: number(f'rows{i}'), 3: number(f'columns{i}')} if dynamic else {})
        for i in range(len(clips.MAPS))
    ]
    yield Plan(
        'masks',
        clips.ClipMasks(model),
        _chosen(network, example, image_size, _OBJECTS),
        _chosen(network, other, image_size, _OBJECTS + 1),
        [*maps, objects, objects, objects],
    )


@torch.no_grad()
def _chosen(
    network: clips.ClipQueries, frames: Tensor, image_size: Tensor, count: int
) -> tuple[Tensor, ...]:
    """Inputs of the masks network: the first objects of a clip, each with a class of its own."""
    logits, boxes, attn_feats, *feats = network(frames, image_size)
    labels = torch.arange(count).repeat(len(frames), 1) % logits.shape[2]
    # without the strides of what they are part of, which a trace would ask for
    parts = (part[:, :count].contiguous() for part in (boxes, attn_feats))
    return (*feats, *parts, labels)


def _settle_positions(model: nn.Module, geometry: FrameGeometry, dynamic: bool) -> None:
    """Scale learned positions before the trace: ONNX has no filter that does it as torch does."""
    for module in model.modules():
        if not isinstance(module, DINOViT) or module.rotary is not None:
            continue
        if dynamic:
            raise UserError(
                f'{type(model).__name__}: its transformer has learned positions (DINOv2), which '
                'are scaled to one size of frames by a filter that ONNX does not have; leave '
                '--dynamic out and give --size'
            )
        height, width = geometry.padded
        module.settle_positions((height // module.patch_size, width // module.patch_size))


def _other_size(manifest: Manifest, geometry: FrameGeometry) -> tuple[int, int]:
    """A size to check a network with that takes any; else the only one."""
    if manifest.input.size is not None:
        return geometry.padded
    divisor = manifest.input.divisor
    return geometry.padded[0] + divisor, geometry.padded[1] + 2 * divisor


def _drawing() -> Any:
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator)
