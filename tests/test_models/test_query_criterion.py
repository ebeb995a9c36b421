"""Losses of queries, against plain loops over the centres of all pixels."""

from dataclasses import replace

import pytest
import query_cases as cases
import torch
import torch.distributed as dist
from query_cases import HEIGHT, WIDTH, K, Q
from two_processes import in_two_processes

from mmvseg.errors import NonFiniteError
from mmvseg.models.losses import QueryCriterion

PIXELS = HEIGHT * WIDTH
PARTS = ('class_logits', 'mask_embeds', 'mask_features')


def build(matcher='QueryMatcher', num_points=PIXELS, **options):
    """With the defaults that compare all pixels, whatever the predictions say."""
    settings = dict(oversample_ratio=1.0, importance_sample_ratio=1.0) | options
    return QueryCriterion(K, dict(type=matcher), num_points, **settings)


def assignment(*pairs):
    return tuple(torch.tensor(pairs, dtype=torch.long).reshape(-1, 2).T)


def gradients(predicted, losses):
    parts = [getattr(predicted, name) for name in PARTS]
    return torch.autograd.grad(sum(losses.values()), parts, retain_graph=True)


def assert_same_losses(losses, expected):
    assert losses.keys() == expected.keys()
    for name, loss in losses.items():
        assert loss.item() == pytest.approx(float(expected[name]), rel=1e-6), name


@pytest.mark.parametrize('frames', [1, 2])
def test_losses_and_gradients_are_those_of_plain_loops(monkeypatch, frames):
    cases.use_pixel_centres(monkeypatch, frames)
    layers = [cases.predictions(seed, images=3, frames=frames) for seed in range(2)]
    targets = [cases.targets(labels, i, frames) for i, labels in enumerate([[1, K, 0], [], [1]])]
    pairs = [[(0, 2), (1, 0), (3, 1)], [], [(2, 0)]]
    given = [assignment(*matched) for matched in pairs]
    losses = build()(layers, targets, assignments=given, videos='abc')
    first, last = (cases.losses(layer, targets, pairs, num_masks=4) for layer in layers)
    assert_same_losses(losses, last | {f'd0.{name}': loss for name, loss in first.items()})
    for layer, expected in zip(layers, (first, last), strict=True):
        ours, plain = gradients(layer, losses), gradients(layer, expected)
        for one, other in zip(ours, plain, strict=True):
            torch.testing.assert_close(one, other)
            assert one.any()


@pytest.mark.parametrize('matcher', ['QueryMatcher', 'ConsistentQueryMatcher'])
def test_without_assignments_every_layer_is_matched_itself(monkeypatch, matcher):
    cases.use_pixel_centres(monkeypatch)
    criterion = build(matcher)
    layers = [cases.predictions(seed, images=2) for seed in range(3)]
    targets = [cases.targets([1, 0], i, visible=[i == 1, True]) for i in range(2)]
    own = [criterion.matcher.match(layer, targets, 2, 'aa') for layer in layers]
    assert len({str(assigned) for assigned in own}) == 3
    expected = {}
    for prefix, layer, assigned in zip(('d0.', 'd1.', ''), layers, own, strict=True):
        pairs = [torch.stack(pair, dim=1).tolist() for pair in assigned]
        plain = cases.losses(layer, targets, pairs, num_masks=4)
        expected |= {prefix + name: loss for name, loss in plain.items()}
    losses = criterion(layers, targets, clip_length=2, videos='aa')
    assert_same_losses(losses, {name: expected[name] for name in losses})
    assert losses.keys() == expected.keys()


def test_weights_of_the_losses(monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    layers, targets = [cases.predictions()], [cases.targets([0, 1])]
    weights = dict(class_loss_weight=6.0, mask_loss_weight=10.0, dice_loss_weight=0.5)
    usual, weighted = (
        build(**options)(layers, targets, videos='a') for options in (dict(), weights)
    )
    factors = [float(weighted[name] / usual[name]) for name in usual]
    assert dict(zip(usual, factors, strict=True)) == pytest.approx(
        dict(loss_ce=3.0, loss_mask=2.0, loss_dice=0.1)
    )


def test_part_of_the_points_lies_where_a_mask_is_least_certain(monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    predicted, target = cases.predictions(), cases.targets([1])
    given = [assignment((2, 0))]
    criterion = build(num_points=4, oversample_ratio=2.0, importance_sample_ratio=0.5)
    losses = criterion([predicted], [target], assignments=given, videos='a')
    logits, wanted = cases.mask_logits(predicted, 0, 2), cases.wanted_mask(target, 0)
    uncertain = sorted(range(PIXELS), key=lambda pixel: abs(logits[pixel]))[:2]
    chosen = [*uncertain, 0, 1]  # the others are random, here the first
    bce, dice = cases.mask_terms([logits[i] for i in chosen], [wanted[i] for i in chosen])
    assert losses['loss_mask'].item() == pytest.approx(5 * bce.item())
    assert losses['loss_dice'].item() == pytest.approx(5 * dice.item())


def test_points_are_counted_by_frame(monkeypatch):
    shapes = cases.use_pixel_centres(monkeypatch, frames=3)
    layers, targets = [cases.predictions(frames=3)], [cases.targets([0, 1], frames=3)]
    criterion = QueryCriterion(K, dict(type='QueryMatcher'), num_points=8)
    criterion(layers, targets, videos='a')
    # the matcher's; candidates for the edges, three times as many; a quarter anywhere
    assert shapes == [(1, 24, 2), (2, 72, 2), (2, 6, 2)]


def test_without_objects_only_classes_are_learnt():
    predicted = cases.predictions(images=2)
    criterion = build()
    losses = criterion([predicted], [cases.targets([])] * 2, videos='ab')
    log_probabilities = predicted.class_logits.log_softmax(-1)
    assert losses['loss_ce'].item() == pytest.approx(-2 * log_probabilities[..., K].mean().item())
    assert losses['loss_mask'].item() == losses['loss_dice'].item() == 0
    classes, embeds, features = gradients(predicted, losses)  # none is missing
    assert classes.any()
    assert not embeds.any()
    assert not features.any()


def test_more_objects_than_queries(monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    predicted, target = cases.predictions(), cases.targets([0, 1] * 3)
    criterion = build()
    given = criterion.matcher.match(predicted, [target], 1, 'a')
    pairs = [torch.stack(pair, dim=1).tolist() for pair in given]
    assert len(pairs[0]) == Q
    losses = criterion([predicted], [target], videos='a')
    assert_same_losses(losses, cases.losses(predicted, [target], pairs, num_masks=6))


@pytest.mark.parametrize('order', [(0, 1), (1, 0)])
def test_of_two_objects_of_a_query_the_later_names_the_class(monkeypatch, order):
    cases.use_pixel_centres(monkeypatch)
    predicted, target = cases.predictions(), cases.targets([0, 1])
    pairs = [(2, number) for number in order]
    losses = build()([predicted], [target], assignments=[assignment(*pairs)], videos='a')
    expected = cases.losses(predicted, [target], [pairs], num_masks=2)  # both masks
    assert_same_losses(losses, expected)
    earlier = cases.losses(predicted, [target], [pairs[:1]], num_masks=2)
    assert losses['loss_ce'].item() != pytest.approx(earlier['loss_ce'].item())


def test_two_equal_images_are_worth_one(monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    one, target = cases.predictions(), cases.targets([0, 1])
    two = replace(one, **{name: getattr(one, name).repeat_interleave(2, 0) for name in PARTS})
    criterion = build()
    losses = criterion([two], [target] * 2, videos='ab')
    assert_same_losses(losses, criterion([one], [target], videos='a'))


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -1e13])
@pytest.mark.parametrize('part', PARTS)
def test_divergence_names_layer_and_video(part, value):
    layers = [cases.predictions(seed, images=2) for seed in range(3)]
    layers = [replace(layer, mask_features=layers[0].mask_features) for layer in layers]
    with torch.no_grad():
        getattr(layers[1], part)[1].view(-1)[3] = value
    layer = '' if part == 'mask_features' else r' of layer 1 \(of 3, from 0\)'
    message = rf"^video 'second': {part}{layer} reach .* diverged"
    with pytest.raises(NonFiniteError, match=message):
        build()(layers, [cases.targets([0])] * 2, videos=['first', 'second'])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_losses_of_half_precision_are_computed_in_float32(monkeypatch, dtype):
    cases.use_pixel_centres(monkeypatch)
    exact, targets = cases.predictions(), [cases.targets([0, 1])]
    half = replace(exact, **{name: getattr(exact, name).to(dtype) for name in PARTS})
    same = replace(exact, **{name: getattr(half, name).float() for name in PARTS})
    criterion = build()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = criterion([half], targets, videos='a')
    assert {loss.dtype for loss in losses.values()} == {torch.float32}
    for name, loss in criterion([same], targets, videos='a').items():
        torch.testing.assert_close(losses[name], loss, rtol=0, atol=0)
    assert all(gradient.isfinite().all() for gradient in gradients(half, losses))


def test_the_largest_sane_predictions_have_finite_losses():
    predicted = cases.predictions(frames=2)
    largest = {name: getattr(predicted, name).float().sign() * 1e12 for name in PARTS}
    criterion = build(num_points=2**14)
    losses = criterion(
        [replace(predicted, **largest)], [cases.targets([0, 1], frames=2)], videos='a'
    )
    assert all(loss.isfinite() for loss in losses.values())


RANK_LABELS = ([0, 1, 1], [])


def losses_of_rank(rank):
    torch.manual_seed(rank)
    return build()([cases.predictions(rank)], [cases.targets(RANK_LABELS[rank])], videos='a')


def learn_and_diverge(rank):
    dist.init_process_group('gloo')
    losses = {name: loss.item() for name, loss in losses_of_rank(rank).items()}
    broken = cases.predictions()
    if rank == 1:
        broken.class_logits.data[0, 0, 0] = float('nan')
    errors = []
    criterion = build()
    for learn in (
        lambda: criterion([broken], [cases.targets([0])], videos=['v']),
        lambda: criterion.matcher.match(broken, [cases.targets([0])], 1, ['v']),
    ):
        try:
            learn()
        except NonFiniteError as error:
            errors.append(str(error))
    return losses, errors


def test_two_processes_share_the_number_of_masks_and_stop_together():
    (first, healthy), (second, broken) = in_two_processes(learn_and_diverge)
    alone = losses_of_rank(0)
    # one process counts 3 masks, the other none
    assert first['loss_mask'] == pytest.approx(alone['loss_mask'].item() * 3 / 1.5)
    assert first['loss_dice'] == pytest.approx(alone['loss_dice'].item() * 3 / 1.5)
    assert first['loss_ce'] == pytest.approx(alone['loss_ce'].item())
    assert second == pytest.approx({name: x.item() for name, x in losses_of_rank(1).items()})
    assert [error.split(' reach')[0] for error in broken] == ["video 'v': class_logits"] * 2
    assert [error.split(':')[0] for error in healthy] == ['predictions of another process'] * 2
