"""Matching of queries and objects, against plain loops over the centres of all pixels."""

import itertools
import logging
from dataclasses import replace

import pytest
import query_cases as cases
import torch
from mmcv.ops import point_sample
from query_cases import HEIGHT, WIDTH, K, Q

from mmvseg.errors import NonFiniteError
from mmvseg.models.losses import MaskTargets, query_predictions
from mmvseg.models.losses.query_predictions import sample_masks
from mmvseg.models.task_modules import (
    ConsistentQueryMatcher,
    ExclusiveQueryMatcher,
    QueryMatcher,
    query_matcher,
)

PIXELS = HEIGHT * WIDTH


def pairs(assignment):
    queries, objects = assignment
    assert queries.dtype == objects.dtype == torch.long
    return list(zip(queries.tolist(), objects.tolist(), strict=True))


def cheapest(predicted, image, target):
    """The best of all assignments, found by trying them all."""
    costs = [
        [cases.cost(predicted, image, q, target, n) for n in range(len(target.labels))]
        for q in range(Q)
    ]
    best = min(
        itertools.permutations(range(Q), len(target.labels)),
        key=lambda queries: sum(costs[q][n] for n, q in enumerate(queries)),
    )
    return sorted((q, n) for n, q in enumerate(best))


def answering(target, queries):
    """A frame in which query ``queries[n]`` draws object n and knows its label."""
    logits = torch.zeros(Q, K + 1)
    masks = torch.full((Q, *target.masks.shape[1:]), -9.0)
    for number, query in enumerate(queries):
        if query is not None:
            logits[query, target.labels[number]] = 5.0
            masks[query][target.masks[number] > 0] = 9.0
    return logits, torch.eye(Q)[None], masks[None]


def stack(frames):
    logits, embeds, features = map(torch.stack, zip(*frames, strict=True))
    return replace(
        cases.predictions(), class_logits=logits, mask_embeds=embeds, mask_features=features
    )


@pytest.mark.parametrize('frames', [1, 2])
@pytest.mark.parametrize('at_a_time', [2**16, 7])
def test_costs_are_those_of_plain_loops(monkeypatch, frames, at_a_time):
    monkeypatch.setattr(query_matcher, '_POINTS_AT_A_TIME', at_a_time)
    shapes = cases.use_pixel_centres(monkeypatch, frames)
    predicted = cases.predictions(images=2, frames=frames)
    target = cases.targets([1, 0, K], frames=frames)
    costs = QueryMatcher(PIXELS).costs(predicted, 1, target)
    assert shapes == [(1, frames * PIXELS, 2)]  # points are counted by frame
    expected = [[cases.cost(predicted, 1, q, target, n) for n in range(3)] for q in range(Q)]
    torch.testing.assert_close(costs, torch.tensor(expected, dtype=torch.float64))


def test_the_cheapest_assignment_of_every_image_is_taken(monkeypatch):
    cases.use_pixel_centres(monkeypatch)
    predicted = cases.predictions(images=3)
    targets = [cases.targets([0, 1, 1], 1), cases.targets([K, 0], 2), cases.targets([1], 3)]
    assignments = QueryMatcher(PIXELS).match(predicted, targets, 1, 'abc')
    expected = [cheapest(predicted, image, target) for image, target in enumerate(targets)]
    assert [pairs(assignment) for assignment in assignments] == expected


@pytest.mark.parametrize('kind', [QueryMatcher, ConsistentQueryMatcher, ExclusiveQueryMatcher])
def test_costs_of_all_images_leave_the_device_together(monkeypatch, kind):
    transfers, cpu = [], torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, 'cpu', lambda x: transfers.append(x.shape) or cpu(x))
    targets = [cases.targets([0, 1], t, visible=[t > 0, True]) for t in range(4)]
    kind(5).assign(cases.predictions(images=4), targets, 2, list('aabb'))
    matched = 4 * 2 if kind is QueryMatcher else 1 + 1 + 2
    assert transfers == [(Q, matched)]


def test_an_image_without_objects_leaves_all_queries_free():
    targets = [cases.targets([]), cases.targets([1])]
    none, one = QueryMatcher(5).match(cases.predictions(images=2), targets, 1, 'ab')
    assert pairs(none) == []
    assert len(pairs(one)) == 1


def test_surplus_objects_are_left_out_with_one_warning(monkeypatch):
    shown = []
    monkeypatch.setattr(
        query_matcher, 'print_log', lambda message, logger, level: shown.append((message, level))
    )
    matcher = QueryMatcher(5)
    target = cases.targets([0] * (Q + 2))
    for video in ('first', 'second'):
        (assignment,) = matcher.match(cases.predictions(), [target], 1, [video])
        queries, objects = zip(*pairs(assignment), strict=True)
        assert queries == tuple(range(Q))
        assert len(set(objects)) == Q
    ((message, level),) = shown
    assert "video 'first': 6 objects, but 4 queries" in message
    assert level == logging.WARNING


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf'), 1e13])
@pytest.mark.parametrize('part', ['class_logits', 'mask_embeds', 'mask_features'])
@pytest.mark.parametrize('matcher', [QueryMatcher, ConsistentQueryMatcher, ExclusiveQueryMatcher])
def test_divergence_names_part_and_video(matcher, part, value):
    predicted = cases.predictions(images=2)
    with torch.no_grad():
        getattr(predicted, part)[1].view(-1)[2] = value
    targets = [cases.targets([0]), cases.targets([0])]
    with pytest.raises(NonFiniteError, match=rf"^video 'second': {part} reach .*optim_wrapper"):
        matcher(5).match(predicted, targets, 2, ['first', 'second'])


def test_the_largest_sane_predictions_have_finite_costs():
    predicted = cases.predictions(frames=2)
    scaled = replace(
        predicted,
        **{
            name: getattr(predicted, name).float().sign() * 1e12
            for name in ('class_logits', 'mask_embeds', 'mask_features')
        },
    )
    matcher = QueryMatcher(2**15)
    target = cases.targets([0, 1], frames=2)
    assert matcher.costs(scaled, 0, target).isfinite().all()
    assert len(pairs(*matcher.match(scaled, [target], 1, 'a'))) == 2


def test_a_broken_cost_matrix_names_the_video(monkeypatch):
    broken = torch.full((Q, 1), float('nan'))
    monkeypatch.setattr(QueryMatcher, 'costs', lambda *args: broken)
    with pytest.raises(NonFiniteError, match=r"video 'a': the cost matrix"):
        QueryMatcher(5).match(cases.predictions(), [cases.targets([0])], 1, ['a'])


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_costs_of_half_precision_are_computed_in_float32(monkeypatch, dtype):
    cases.use_pixel_centres(monkeypatch)
    exact = cases.predictions()
    names = ('class_logits', 'mask_embeds', 'mask_features')
    half = replace(exact, **{name: getattr(exact, name).to(dtype) for name in names})
    same = replace(exact, **{name: getattr(half, name).float() for name in names})
    matcher, target = QueryMatcher(PIXELS), cases.targets([0, 1])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        costs = matcher.costs(half, 0, target)
    assert costs.dtype == torch.float32
    torch.testing.assert_close(costs, matcher.costs(same, 0, target), rtol=0, atol=0)


def test_objects_are_matched_in_the_first_frame_that_shows_them():
    labels = [0, 1, 1, 0]
    visible = [[True, False, False, False], [True, True, False, False], [True, True, True, False]]
    targets = [cases.targets(labels, t, visible=seen) for t, seen in enumerate(visible)]
    # later, or before they are visible, other queries answer: that must not count
    frames = [
        answering(targets[0], [3, None, None, None]),
        answering(targets[1], [0, 2, None, None]),
        answering(targets[2], [1, 3, 0, None]),
    ]
    matcher = ConsistentQueryMatcher(200)
    first, *others = matcher.match(stack(frames), targets, 3, ['a'] * 3)
    assert pairs(first) == [(3, 0), (2, 1), (0, 2)]  # object 3 never appears
    assert all(pairs(other) == pairs(first) for other in others)


def test_clips_are_matched_apart():
    target = cases.targets([0, 1])
    absent = MaskTargets(target.labels, torch.zeros_like(target.masks), torch.zeros(2).bool())
    frames = [answering(target, queries) for queries in ([1, 2], [3, 0], [3, 0], [2, 1])]
    targets = [target, target, absent, target]
    assignments = ConsistentQueryMatcher(200).match(stack(frames), targets, 2, list('aabb'))
    assert [sorted(pairs(assignment)) for assignment in assignments] == [
        [(1, 0), (2, 1)],
        [(1, 0), (2, 1)],
        [(1, 1), (2, 0)],
        [(1, 1), (2, 0)],
    ]


def test_a_query_may_get_two_objects_that_appear_one_after_the_other():
    visible = [[True, False], [True, True]]
    targets = [cases.targets([0, 1], t, visible=seen) for t, seen in enumerate(visible)]
    frames = [answering(targets[0], [2, None]), answering(targets[1], [None, 2])]
    assignments = ConsistentQueryMatcher(200).match(stack(frames), targets, 2, ['a'] * 2)
    assert [pairs(assignment) for assignment in assignments] == [[(2, 0), (2, 1)]] * 2


def appearing_later(labels, answers):
    """A clip of two frames: object 0 is in both, the others in the second only."""
    first = [True] + [False] * (len(labels) - 1)
    targets = [cases.targets(labels, 0, visible=first), cases.targets(labels, 1)]
    return stack([answering(*pair) for pair in zip(targets, answers, strict=True)]), targets


def test_exclusive_objects_avoid_the_queries_of_those_before():
    # query 2 answers to both, query 3 a little to object 1
    predicted, targets = appearing_later([0, 1], [[2, None], [None, 2]])
    predicted.class_logits[1, 3, 1] = 1.0
    assignments = ExclusiveQueryMatcher(200).match(predicted, targets, 2, ['a'] * 2)
    assert [pairs(assignment) for assignment in assignments] == [[(2, 0), (3, 1)]] * 2


def test_exclusive_matching_starts_anew_in_every_clip():
    one, one_targets = appearing_later([0, 1], [[2, None], [None, 1]])
    two, two_targets = appearing_later([0, 1], [[1, None], [None, 2]])
    names = ('class_logits', 'mask_embeds', 'mask_features')
    both = replace(
        one, **{name: torch.cat([getattr(one, name), getattr(two, name)]) for name in names}
    )
    assignments = ExclusiveQueryMatcher(200).match(both, one_targets + two_targets, 2, list('aabb'))
    assert [pairs(assignment) for assignment in assignments[::2]] == [
        [(2, 0), (1, 1)],
        [(1, 0), (2, 1)],
    ]


def test_exclusive_queries_are_shared_only_when_none_is_left():
    labels = [0, 1] * 3  # six objects, four queries; five appear in the second frame
    predicted, targets = appearing_later(labels, [[2, *[None] * 5], [None, 0, 1, 3, 2, None]])
    ((queries, objects), _) = ExclusiveQueryMatcher(200).match(predicted, targets, 2, ['a'] * 2)
    assert queries[0] == 2
    assert sorted(queries[1:].tolist()) == [0, 1, 2, 3]  # 2 for want of another
    assert len(set(objects.tolist())) == 5


def test_a_taken_query_is_dearer_than_any_sane_cost(monkeypatch):
    costs = torch.full((Q, 1), query_matcher.TAKEN_COST - 1)
    monkeypatch.setattr(QueryMatcher, 'costs', lambda *args: costs.clone())
    predicted, targets = appearing_later([0, 1], [[None, None]] * 2)
    ((queries, _), _) = ExclusiveQueryMatcher(5).match(predicted, targets, 2, ['a'] * 2)
    assert len(set(queries.tolist())) == 2


@pytest.mark.parametrize('matcher', [ConsistentQueryMatcher, ExclusiveQueryMatcher])
def test_a_clip_without_objects_leaves_all_queries_free(matcher):
    assignments = matcher(5).match(
        cases.predictions(images=2), [cases.targets([])] * 2, 2, ['a'] * 2
    )
    assert [pairs(assignment) for assignment in assignments] == [[], []]


@pytest.mark.parametrize('masks_at_a_time', [1, 2, 3, 7])
def test_masks_are_sampled_some_at_a_time(monkeypatch, masks_at_a_time):
    monkeypatch.setattr(query_predictions, '_PIXELS_AT_A_TIME', masks_at_a_time * 5 * 6)
    masks, points = torch.randint(2, (7, 5, 6), dtype=torch.uint8), torch.rand(7, 4, 2)
    one_by_one = [
        point_sample(mask[None, None].float(), where[None])[0, 0]
        for mask, where in zip(masks, points, strict=True)
    ]
    torch.testing.assert_close(sample_masks(masks, points), torch.stack(one_by_one))
    alike = sample_masks(masks, points[:1].expand(7, -1, -1))
    torch.testing.assert_close(sample_masks(masks, points[:1]), alike)
    assert sample_masks(masks[:0], points[:1]).shape == (0, 4)
