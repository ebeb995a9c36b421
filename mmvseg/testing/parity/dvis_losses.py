"""Replay recorded matchings and losses of DVIS, with the random numbers of the recording."""

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from mmvseg.models.losses import ClipObjects, MaskTargets, QueryPredictions
from mmvseg.registry import MODELS, TASK_UTILS

from .case import Case, Comparison
from .dvis_video import load_model, model_config
from .recorded_losses import (
    LOSSES,
    Recorder,
    clip_samples,
    compare_recorded,
    compare_seeds,
    compare_statistics,
    compare_targets,
    criterion_config,
    gradients_of,
    published_names,
    recorded_rand,
    replayed,
    seeded,
)


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
        with recorded_rand(case.expected, f'{prefix}points.'), recorder.listening(matcher, None):
            matches = matcher.match(predictions, targets, frames, _names(targets))
        for number, cost in enumerate(recorder.costs):
            comparison.close(f'{prefix}cost.{number}', cost)
            replayed(comparison, f'{prefix}points.{number}')
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
        return published_names(criterion(layers, targets, 1, matches, videos=videos))

    for mode, guided in (('plain', False), ('guided', True)):
        if comparison.records(f'{mode}.recorded.'):
            recorder = Recorder()
            with (
                recorded_rand(case.expected, f'{mode}.recorded.rand.'),
                recorder.listening(criterion.matcher, criterion),
            ):
                recorded = losses(guided)
            compare_recorded(f'{mode}.recorded.', recorded, recorder, comparison)
        if comparison.records(f'{mode}.per_seed.'):
            per_seed = [seeded(seed, partial(losses, guided)) for seed in range(config['n_seeds'])]
            compare_statistics(f'{mode}.per_seed.', per_seed, comparison)


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
    samples = clip_samples(case)
    batch = model.data_preprocessor(samples, training=True)
    compare_targets(ClipObjects.gather(batch['data_samples'][0]), case, comparison)
    # Only as many layers in front of the last have a loss as the published weights list.
    counted = {f'{loss}_{i}' for loss in LOSSES for i in range(config['criterion']['num_aux'])}

    def losses(mode: str) -> dict[str, Tensor]:
        model.guided_matching = mode.startswith('guided')
        named = published_names(model.loss(**batch))
        return {name: loss for name, loss in named.items() if name in counted or name in LOSSES}

    for mode in config['modes']:
        prefix = f'{mode}.recorded.'
        if comparison.records(prefix):
            recorder = Recorder()
            with (
                recorded_rand(case.expected, f'{prefix}rand.'),
                recorder.listening(model.criterion.matcher, model.criterion),
            ):
                recorded = losses(mode)
            gradients = gradients_of(model, recorded, case)
            compare_recorded(prefix, recorded, recorder, comparison)
            for name, gradient in gradients.items():
                comparison.close(f'{prefix}grads.{name}', gradient)
        if comparison.records(f'{mode}.per_seed.'):
            compare_seeds(f'{mode}.per_seed.', model, partial(losses, mode), comparison)


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
