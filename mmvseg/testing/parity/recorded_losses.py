"""What replays of losses share: the random numbers of the recording, and what is compared."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from unittest import mock

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.converters.translate import to_theirs
from mmvseg.errors import UserError
from mmvseg.models.losses import ClipObjects, QueryCriterion
from mmvseg.models.losses.query_predictions import Assignment
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.task_modules import QueryMatcher
from mmvseg.structures import VideoDataSample

from .case import Case, Comparison, Row

MATCHERS = dict(
    VideoHungarianMatcher='QueryMatcher', VideoHungarianMatcher_Consistent='ConsistentQueryMatcher'
)
LOSSES = ('loss_ce', 'loss_mask', 'loss_dice')


@dataclass
class Recorder:
    """What a criterion decides on the way, in order of the calls."""

    costs: list[Tensor] = field(default_factory=list)
    matches: list[Tensor] = field(default_factory=list)
    points: list[Tensor] = field(default_factory=list)

    @contextmanager
    def listening(self, matcher: QueryMatcher, criterion: QueryCriterion | None) -> Iterator[None]:
        """Record cost matrices, matches (2, n) and the points of losses."""
        with ExitStack() as taps:
            taps.enter_context(mock.patch.object(matcher, '_solve', self._solving(matcher._solve)))
            if criterion is not None:
                taps.enter_context(tap(criterion, 'sample_points', self.points.append))
            yield

    def _solving(self, solve: Callable[[Tensor, str], Assignment]) -> Callable:
        def recorded(cost: Tensor, video: str) -> Assignment:
            match = solve(cost, video)
            self.costs.append(cost)
            self.matches.append(torch.stack(match))
            return match

        return recorded

    def compare(self, prefix: str, comparison: Comparison) -> None:
        """Against what the case recorded under ``prefix``."""
        for name, tensors, compare in (
            ('cost', self.costs, comparison.close),
            ('indices', self.matches, comparison.equal),
            ('loss_points', self.points, partial(_compare_points, comparison)),
        ):
            for number, tensor in enumerate(tensors):
                compare(f'{prefix}{name}.{number}', tensor)


@contextmanager
def recorded_rand(recording: Mapping[str, Tensor], prefix: str) -> Iterator[None]:
    """Let ``torch.rand`` give the recorded numbers ``prefix{k}`` in order.

    Raises:
        UserError: if more, fewer or other numbers are asked for than were recorded.
    """
    count = sum(name.startswith(prefix) for name in recording)
    recorded = iter([recording[f'{prefix}{number}'] for number in range(count)])

    def rand(*size: int | tuple[int, ...], **_: object) -> Tensor:
        shape = size[0] if isinstance(size[0], tuple) else size
        numbers = next(recorded, None)
        if numbers is None or tuple(numbers.shape) != tuple(shape):
            got = 'none' if numbers is None else tuple(numbers.shape)
            raise UserError(f'{prefix}: random numbers {tuple(shape)} wanted, recorded: {got}')
        return numbers.clone()

    with mock.patch.object(torch, 'rand', rand):
        yield
    if left := len(list(recorded)):
        raise UserError(f'{prefix}: {left} of {count} recorded random numbers were not asked for')


def criterion_config(original: Mapping, frames: int = 1) -> dict:
    """Arguments of :class:`QueryCriterion`.

    Args:
        original: settings of the published criterion.
        frames: frames of an image; our points are counted per frame.
    """
    matcher, weights = original['matcher'], original['weights']
    return dict(
        type='QueryCriterion',
        num_classes=original['num_classes'],
        num_points=original['num_points'] // frames,
        oversample_ratio=original['oversample_ratio'],
        importance_sample_ratio=original['importance_sample_ratio'],
        no_object_weight=original['eos_coef'],
        class_loss_weight=weights['loss_ce'],
        mask_loss_weight=weights['loss_mask'],
        dice_loss_weight=weights['loss_dice'],
        matcher=dict(
            type=MATCHERS[matcher['type']],
            num_points=matcher['num_points'] // frames,
            class_cost=matcher['cost_class'],
            mask_cost=matcher['cost_mask'],
            dice_cost=matcher['cost_dice'],
        ),
    )


def clip_samples(case: Case) -> dict[str, list]:
    """The case's clips as a dataloader gives them."""
    inputs, samples = [], []
    while f'video.{len(inputs)}.images' in case.inputs:
        name = f'video.{len(inputs)}'
        labels, ids, masks = (case.inputs[f'{name}.{key}'] for key in ('labels', 'ids', 'masks'))
        sample = VideoDataSample(metainfo=dict(video_name=name))
        sample.gt_instances = [
            InstanceData(
                labels=labels[ids[:, t] >= 0],
                masks=masks[ids[:, t] >= 0, t],
                instance_ids=ids[ids[:, t] >= 0, t],
            )
            for t in range(ids.shape[1])
        ]
        inputs.append(case.inputs[f'{name}.images'])
        samples.append(sample)
    return dict(inputs=inputs, data_samples=samples)


def published_names(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``d0.loss_ce`` is ``loss_ce_0`` there."""
    named = {}
    for name, loss in losses.items():
        layer, _, kind = name.rpartition('.')
        named[f'{kind}_{layer[1:]}' if layer else kind] = loss
    return named


def gradients_of(
    model: VideoSegmentor, losses: Mapping[str, Tensor], case: Case
) -> dict[str, Tensor]:
    """Gradients of the sum of losses that the case records, by the original names."""
    model.zero_grad()
    sum(losses.values()).backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    known = {name: gradient for name, gradient in gradients.items() if gradient is not None}
    published, _ = to_theirs(known, ConversionNote(case.layout.name))
    return {name: published[name].clone() for name in case.config['config']['grad_params']}


def seeded(seed: int, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Compute after seeding torch's generator."""
    torch.manual_seed(seed)
    return compute()


def compare_recorded(
    prefix: str, losses: Mapping[str, Tensor], recorder: Recorder, comparison: Comparison
) -> None:
    """Losses, what the criterion decided on the way, and that the recorded numbers were used."""
    for name, loss in losses.items():
        comparison.close(f'{prefix}losses.{name}', loss)
    recorder.compare(prefix, comparison)
    for name in comparison.case.expected:
        if name.startswith(f'{prefix}rand.'):
            replayed(comparison, name)


def _compare_points(comparison: Comparison, name: str, points: Tensor) -> None:
    """Points are chosen from the same numbers, in an order that float32 noise decides.

    The noise may also decide which one of two points at the same distance to an edge is taken.
    """
    recorded = comparison.comparable(name, points)
    if recorded is None:
        return
    missing = sum(
        len(set(map(tuple, theirs.tolist())) - set(map(tuple, ours.tolist())))
        for theirs, ours in zip(recorded, points, strict=True)
    )
    total = recorded.shape[0] * recorded.shape[1]
    comparison.count(name, missing, len(recorded), f'of {total} points are others')


def compare_seeds(
    prefix: str,
    model: VideoSegmentor,
    losses: Callable[[], dict[str, Tensor]],
    comparison: Comparison,
) -> None:
    """Losses and norms of gradients over the seeds of the recording."""
    per_seed = []
    for seed in range(comparison.case.config['config']['n_seeds']):
        values = seeded(seed, losses)
        gradients = gradients_of(model, values, comparison.case)
        norms = {f'grad_norm.{name}': gradient.norm() for name, gradient in gradients.items()}
        per_seed.append({f'losses.{k}': v.detach() for k, v in values.items()} | norms)
    compare_statistics(prefix, per_seed, comparison)


def compare_statistics(
    prefix: str, per_seed: list[dict[str, Tensor]], comparison: Comparison
) -> None:
    """Means over the seeds agree within three standard errors."""
    for name in per_seed[0]:
        recorded = comparison.case.expected.get(f'{prefix}{name}')
        if recorded is None:
            continue
        ours = torch.stack([values[name] for values in per_seed])
        error = float(recorded.std() / len(recorded) ** 0.5)
        floor = 1e-4 * max(1.0, float(recorded.abs().max()))
        difference = abs(float(ours.mean() - recorded.mean()))
        comparison.rows.append(
            Row(f'{prefix}{name}', difference, max(3 * error, floor), f'mean of {len(recorded)}')
        )


def compare_targets(clip: ClipObjects, case: Case, comparison: Comparison) -> None:
    """What the criterion is given for the first clip; objects that are hidden have the id -1."""
    ids = clip.ids[:, None].where(clip.visible, -1)
    comparison.equal('prepared_targets.labels', clip.labels)
    comparison.equal('prepared_targets.ids', ids)
    comparison.equal('prepared_targets.masks', clip.masks)


def replayed(comparison: Comparison, name: str) -> None:
    """Random numbers that the replay was given: they agree by being used."""
    if name in comparison.case.expected:
        comparison.count(name, 0, 0, 'given to the replay')


@contextmanager
def tap(target: object, method: str, listener: Callable[[Tensor], None]) -> Iterator[None]:
    """Show what a method returns to a listener."""
    original = getattr(target, method)

    def listening(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        listener(result)
        return result

    with mock.patch.object(target, method, listening):
        yield
