"""Replay recorded matchings and losses of DVIS, with the random numbers of the recording."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from unittest import mock

import torch
from mmengine.structures import InstanceData
from torch import Tensor

from mmvseg.errors import UserError
from mmvseg.models.losses import ClipObjects, MaskTargets, QueryCriterion, QueryPredictions
from mmvseg.models.segmentors.base import VideoSegmentor
from mmvseg.models.task_modules import QueryMatcher
from mmvseg.registry import MODELS, TASK_UTILS
from mmvseg.structures import VideoDataSample

from .case import Case, Comparison, Row
from .dvis_video import load_model, model_config

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
            taps.enter_context(_tap(matcher, 'costs', self.costs.append))
            keep = lambda pair: self.matches.append(torch.stack(pair))  # noqa: E731
            taps.enter_context(_tap(matcher, '_match_image', keep))
            if criterion is not None:
                taps.enter_context(_tap(criterion, 'sample_points', self.points.append))
            yield

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
def recorded_rand(case: Case, prefix: str) -> Iterator[None]:
    """Let ``torch.rand`` give the recorded numbers ``prefix{k}`` in order.

    Raises:
        UserError: if more, fewer or other numbers are asked for than were recorded.
    """
    count = sum(name.startswith(prefix) for name in case.expected)
    recorded = iter([case.expected[f'{prefix}{number}'] for number in range(count)])

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


@torch.no_grad()
def replay_matching(case: Case, comparison: Comparison) -> None:
    """Frames, a clip with stacked frames, and a clip with one matching for all frames."""
    for name in ('frame', 'clip', 'consistent'):
        prefix, consistent = f'{name}.', name == 'consistent'
        if not comparison.records(prefix):
            continue
        frames = case.config['config']['frames'] if consistent else 1
        matcher = TASK_UTILS.build(
            dict(
                type='ConsistentQueryMatcher' if consistent else 'QueryMatcher',
                num_points=case.config['config']['num_points'],
            )
        )
        predictions = _predictions(case.inputs, prefix)
        targets = _consistent_targets(case) if consistent else _targets(case.inputs, prefix)
        recorder = Recorder()
        with recorded_rand(case, f'{prefix}points.'), recorder.listening(matcher, None):
            matches = matcher.match(predictions, targets, frames, _names(targets))
        for number, cost in enumerate(recorder.costs):
            comparison.close(f'{prefix}cost.{number}', cost)
            _replayed(comparison, f'{prefix}points.{number}')
        for image, match in enumerate(matches[:1] if consistent else matches):
            comparison.equal(f'{prefix}indices.{image}', torch.stack(match))


@torch.no_grad()
def replay_criterion(case: Case, comparison: Comparison) -> None:
    """Losses of given predictions, matched on their own and with a guide."""
    config = case.config['config']
    criterion = MODELS.build(criterion_config(config['criterion']))
    # Recorded without their weights.
    criterion.weights = dict.fromkeys(LOSSES, 1.0)
    layers = [_predictions(case.inputs, f'aux_outputs.{i}.') for i in range(2)]
    layers.append(_predictions(case.inputs, ''))
    targets = _targets(case.inputs, '')
    videos = _names(targets)

    def losses(guided: bool) -> dict[str, Tensor]:
        matches = None
        if guided:
            guide = _predictions(case.inputs, 'guide.')
            matches = criterion.matcher.match(guide, targets, 1, videos)
        return _published_names(criterion(layers, targets, 1, matches, videos=videos))

    for mode, guided in (('plain', False), ('guided', True)):
        if comparison.records(f'{mode}.recorded.'):
            recorder = Recorder()
            with (
                recorded_rand(case, f'{mode}.recorded.rand.'),
                recorder.listening(criterion.matcher, criterion),
            ):
                recorded = losses(guided)
            _compare_recorded(f'{mode}.recorded.', recorded, recorder, comparison)
        if comparison.records(f'{mode}.per_seed.'):
            per_seed = [_seeded(seed, partial(losses, guided)) for seed in range(config['n_seeds'])]
            _compare_statistics(f'{mode}.per_seed.', per_seed, comparison)


def replay_loss(case: Case, comparison: Comparison) -> None:
    """Training of MinVIS, DVIS online or offline: losses and gradients."""
    config = case.config['config']
    # The refiner sees the frames of a clip as one image, whose points the case counts together.
    frames = config['model']['num_frames'] if 'refiner' in config else 1
    criterion = criterion_config(config['criterion'], frames)
    model = load_model(case, model_config(case) | dict(criterion=criterion))
    # The labels of the case are those that count; the published reader made them.
    model.absent_as_background = False
    model.train()
    samples = _samples(case)
    batch = model.data_preprocessor(samples, training=True)
    _compare_targets(ClipObjects.gather(batch['data_samples'][0]), case, comparison)
    # Only as many layers in front of the last have a loss as the published weights list.
    counted = {f'{loss}_{i}' for loss in LOSSES for i in range(config['criterion']['num_aux'])}

    def losses(mode: str) -> dict[str, Tensor]:
        model.guided_matching = mode.startswith('guided')
        named = _published_names(model.loss(**batch))
        return {name: loss for name, loss in named.items() if name in counted or name in LOSSES}

    names = _gradient_names(case)
    for mode in config['modes']:
        prefix = f'{mode}.recorded.'
        if comparison.records(prefix):
            recorder = Recorder()
            with (
                recorded_rand(case, f'{prefix}rand.'),
                recorder.listening(model.criterion.matcher, model.criterion),
            ):
                recorded = losses(mode)
            gradients = _gradients(model, recorded, names)
            _compare_recorded(prefix, recorded, recorder, comparison)
            for name, gradient in gradients.items():
                comparison.close(f'{prefix}grads.{name}', gradient)
        if comparison.records(f'{mode}.per_seed.'):
            _compare_seeds(mode, model, losses, names, comparison)


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


def _predictions(inputs: Mapping[str, Tensor], prefix: str) -> QueryPredictions:
    """Given masks (I, Q, 1, h, w) as the product of themselves with one-hot embeddings."""
    masks = inputs[f'{prefix}pred_masks'].transpose(1, 2)  # (I, 1, Q, h, w)
    one_hot = torch.eye(masks.shape[2]).expand(*masks.shape[:2], -1, -1)
    return QueryPredictions(inputs[f'{prefix}pred_logits'], one_hot, masks)


def _targets(inputs: Mapping[str, Tensor], prefix: str) -> list[MaskTargets]:
    targets = []
    while f'{prefix}targets.{len(targets)}.labels' in inputs:
        name = f'{prefix}targets.{len(targets)}'
        labels, masks = inputs[f'{name}.labels'], inputs[f'{name}.masks'][:, 0]
        targets.append(MaskTargets(labels, masks, torch.ones(len(labels), dtype=torch.bool)))
    return targets


def _consistent_targets(case: Case) -> list[MaskTargets]:
    labels, masks, ids = (
        case.inputs[f'consistent.targets.{name}'] for name in ('labels', 'masks', 'ids')
    )
    return [MaskTargets(labels, masks[:, t], ids[:, t] >= 0) for t in range(masks.shape[1])]


def _names(targets: list[MaskTargets]) -> list[str]:
    return [f'image {number}' for number in range(len(targets))]


def _samples(case: Case) -> dict[str, list]:
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


def _published_names(losses: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """``d0.loss_ce`` is ``loss_ce_0`` there."""
    named = {}
    for name, loss in losses.items():
        layer, _, kind = name.rpartition('.')
        named[f'{kind}_{layer[1:]}' if layer else kind] = loss
    return named


def _gradient_names(case: Case) -> dict[str, str]:
    """Our name of each parameter whose gradient is recorded."""
    renamed = case.our_weights()
    return {
        original: next(ours for ours, tensor in renamed.items() if tensor is case.weights[original])
        for original in case.config['config']['grad_params']
    }


def _gradients(
    model: VideoSegmentor, losses: Mapping[str, Tensor], names: Mapping[str, str]
) -> dict[str, Tensor]:
    """Gradients of the sum of losses, by the original names of the parameters."""
    model.zero_grad()
    sum(losses.values()).backward()
    parameters = dict(model.named_parameters())
    return {name: parameters[ours].grad.clone() for name, ours in names.items()}


def _seeded(seed: int, compute: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
    torch.manual_seed(seed)
    return compute()


def _compare_recorded(
    prefix: str, losses: Mapping[str, Tensor], recorder: Recorder, comparison: Comparison
) -> None:
    for name, loss in losses.items():
        comparison.close(f'{prefix}losses.{name}', loss)
    recorder.compare(prefix, comparison)
    for name in comparison.case.expected:
        if name.startswith(f'{prefix}rand.'):
            _replayed(comparison, name)


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


def _compare_seeds(
    mode: str,
    model: VideoSegmentor,
    losses: Callable[[str], dict[str, Tensor]],
    names: Mapping[str, str],
    comparison: Comparison,
) -> None:
    """Losses and norms of gradients over the seeds of the recording."""
    per_seed = []
    for seed in range(comparison.case.config['config']['n_seeds']):
        values = _seeded(seed, partial(losses, mode))
        gradients = _gradients(model, values, names)
        norms = {f'grad_norm.{name}': gradient.norm() for name, gradient in gradients.items()}
        per_seed.append({f'losses.{k}': v.detach() for k, v in values.items()} | norms)
    _compare_statistics(f'{mode}.per_seed.', per_seed, comparison)


def _compare_statistics(
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


def _compare_targets(clip: ClipObjects, case: Case, comparison: Comparison) -> None:
    """What the criterion is given for the first clip; objects that are hidden have the id -1."""
    ids = clip.ids[:, None].where(clip.visible, -1)
    comparison.equal('prepared_targets.labels', clip.labels)
    comparison.equal('prepared_targets.ids', ids)
    comparison.equal('prepared_targets.masks', clip.masks)


def _replayed(comparison: Comparison, name: str) -> None:
    """Random numbers that the replay was given: they agree by being used."""
    if name in comparison.case.expected:
        comparison.count(name, 0, 0, 'given to the replay')


@contextmanager
def _tap(target: object, method: str, listener: Callable[[Tensor], None]) -> Iterator[None]:
    """Show what a method returns to a listener."""
    original = getattr(target, method)

    def listening(*args: object, **kwargs: object) -> object:
        result = original(*args, **kwargs)
        listener(result)
        return result

    with mock.patch.object(target, method, listening):
        yield
