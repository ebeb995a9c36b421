"""Replay recorded trainings of VidEoMT and PMT: losses, gradients, statistics."""

from functools import partial

from torch import Tensor

from mmvseg.checkpoints.conversion_note import ConversionNote
from mmvseg.converters.translate import to_theirs
from mmvseg.models.losses import ClipObjects
from mmvseg.models.segmentors.videomt import VidEoMT

from .case import Case, Comparison
from .recorded_losses import (
    LOSSES,
    Recorder,
    clip_samples,
    compare_recorded,
    compare_seeds,
    criterion_config,
    gradients_of,
    published_names,
    recorded_rand,
    replayed,
)
from .videomt_model import load_model, recorded_scale

#: Label that the published reader writes for an object that the last frame of a clip does not show.
ABSENT_LABEL = 54


def replay_loss(case: Case, comparison: Comparison) -> None:
    """Training of frames alone or of clips."""
    criterion = criterion_config(case.config['config']['criterion'])
    is_segmenter = case.config['config']['arch'].endswith('_segmenter')
    if not is_segmenter:
        criterion['matcher']['type'] = 'ExclusiveQueryMatcher'
    load = partial(
        load_model,
        case,
        criterion=criterion | dict(type='VidEoMTCriterion'),
        frames_alone=is_segmenter,
        # The published code computes this prediction and drops its losses.
        supervise_last_input=True,
    )
    batch = load().data_preprocessor(_samples(case), training=True)
    for number, sample in enumerate(batch['data_samples']):
        _compare_targets(ClipObjects.gather(sample), number, case, comparison)
    if comparison.records('recorded.'):
        _compare_recorded_pass(load().train(), batch, case, comparison)
    if comparison.records('per_seed.'):
        model = load().train()
        compare_seeds('per_seed.', model, partial(_losses, model, batch, case), comparison)


def _samples(case: Case) -> dict[str, list]:
    """The case's clips; a label beyond the classes, which the published reader makes, is K here."""
    samples = clip_samples(case)
    num_classes = case.config['config']['num_classes']
    for sample in samples['data_samples']:
        for frame in sample.gt_instances:
            frame.labels = frame.labels.clamp(max=num_classes)
    return samples


def _losses(model: VidEoMT, batch: dict, case: Case) -> dict[str, Tensor]:
    """The losses that the published weights list."""
    num_earlier = case.config['config']['criterion']['num_aux']
    listed = {f'{loss}_{number}' for loss in LOSSES for number in range(num_earlier)}
    named = published_names(model.loss(**batch))
    return {name: loss for name, loss in named.items() if name in listed or name in LOSSES}


def _compare_recorded_pass(model: VidEoMT, batch: dict, case: Case, comparison: Comparison) -> None:
    recorder, scale = Recorder(), case.expected.get('recorded.rope_rescale.0')
    with (
        recorded_scale(scale),
        recorded_rand(case.expected, 'recorded.rand.'),
        recorder.listening(model.criterion.matcher, model.criterion),
    ):
        losses = _losses(model, batch, case)
    compare_recorded('recorded.', losses, recorder, comparison)
    replayed(comparison, 'recorded.rope_rescale.0')
    for name, gradient in gradients_of(model, losses, case).items():
        comparison.close(f'recorded.grads.{name}', gradient)
    if comparison.records('recorded.after.'):
        after, _ = to_theirs(dict(model.state_dict()), ConversionNote(case.layout.name))
        for name, tensor in after.items():
            comparison.close(f'recorded.after.{name}', tensor)


def _compare_targets(clip: ClipObjects, number: int, case: Case, comparison: Comparison) -> None:
    """What the criterion is given for a clip; objects that are hidden have the id -1."""
    prefix, num_classes = f'prepared_targets.{number}.', case.config['config']['num_classes']
    comparison.equal(f'{prefix}labels', clip.labels.where(clip.labels < num_classes, ABSENT_LABEL))
    comparison.equal(f'{prefix}ids', clip.ids[:, None].where(clip.visible, -1))
    comparison.equal(f'{prefix}masks', clip.masks)
