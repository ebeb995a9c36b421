from itertools import permutations

import pytest
import torch
from mmengine.structures import InstanceData

from mmvseg.errors import UserError
from mmvseg.models.task_modules import ClipInstances
from mmvseg.registry import TASK_UTILS

SHAPE = (60, 80)


def build():
    return TASK_UTILS.build(
        dict(
            type='TeViTHungarianAssigner',
            cls_cost=dict(type='FocalLossCost', weight=2.0),
            reg_cost=dict(type='BBoxL1Cost', box_format='xyxy', weight=5.0),
            iou_cost=dict(type='IoUCost', iou_mode='giou', weight=2.0),
        )
    )


def random_boxes(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    corner = torch.rand(*shape, 2, generator=generator) * torch.tensor([40.0, 30.0])
    size = 5 + torch.rand(*shape, 2, generator=generator) * 25
    return torch.cat([corner, corner + size], dim=-1)


def frame(ids, seed=0):
    ids = torch.tensor(ids, dtype=torch.long)
    return InstanceData(bboxes=random_boxes(len(ids), seed=seed), labels=ids % 3, instance_ids=ids)


def clip(*ids_by_frame):
    return [frame(ids, seed=t + 10) for t, ids in enumerate(ids_by_frame)]


def predictions(num_frames, num_queries, seed=5):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(num_frames, num_queries, 3, generator=generator)
    return logits, random_boxes(num_frames, num_queries, seed=seed)


def slow_cost(logits, boxes, frames):
    """The definition, one pair at a time; the costs themselves are mmdet's."""
    assigner = build()
    ids = sorted({int(i) for f in frames for i in f.instance_ids})
    cost = torch.zeros(logits.shape[1], len(ids))
    for g, instance in enumerate(ids):
        terms = []
        for t, f in enumerate(frames):
            for n in torch.nonzero(f.instance_ids == instance).flatten():
                pred = InstanceData(scores=logits[t], bboxes=boxes[t])
                terms.append(
                    sum(c(pred, f[n : n + 1], dict(img_shape=SHAPE)) for c in assigner.costs)
                )
        cost[:, g] = torch.cat(terms, dim=1).mean(1)
    return cost


def assign(frames, num_queries=4):
    logits, boxes = predictions(len(frames), num_queries)
    return build().assign(logits, boxes, ClipInstances.from_frames(frames), SHAPE)


def test_cost_is_the_mean_over_the_frames_that_show_the_instance():
    frames = clip([7, 2], [2], [9, 7, 2])
    match = assign(frames)
    expected = slow_cost(*predictions(3, 4), frames)
    torch.testing.assert_close(match.cost, expected, rtol=1e-5, atol=1e-5)


def test_assignment_is_the_cheapest_of_all():
    match = assign(clip([7, 2], [2], [9, 7, 2]))
    best = min(
        permutations(range(4), 3),
        key=lambda queries: sum(match.cost[q, g] for g, q in enumerate(queries)),
    )
    assert match.matched_query.tolist() == list(best)


def test_matches_are_written_down_by_frame_and_query():
    frames = clip([7, 2], [], [9, 7, 2])
    match = assign(frames)
    query = dict(zip([2, 7, 9], match.matched_query.tolist(), strict=True))
    expected = torch.zeros(3, 4, dtype=torch.long)
    for t, f in enumerate(frames):
        for position, instance in enumerate(f.instance_ids.tolist()):
            expected[t, query[instance]] = position + 1
    assert match.assigned_gt_inds.tolist() == expected.tolist()
    positives = torch.nonzero(expected)
    assert torch.stack([match.frames, match.queries], dim=1).tolist() == positives.tolist()
    flat = torch.cat([f.instance_ids for f in frames])
    assert [query[i] for i in flat[match.annotations].tolist()] == match.queries.tolist()


def test_surplus_instances_stay_unmatched():
    match = assign(clip([1, 2, 3, 4], [4, 3]), num_queries=2)
    assert sorted(match.matched_query.tolist())[:2] == [-1, -1]
    assert sorted(match.matched_query.tolist())[2:] == [0, 1]
    assert set(match.assigned_gt_inds[0].tolist()) <= {1, 2, 3, 4}


def test_clip_without_instances():
    match = assign(clip([], []))
    assert match.cost.shape == (4, 0)
    assert not match.assigned_gt_inds.any()
    assert len(match.frames) == 0


def test_half_precision_inputs_are_matched_in_float32():
    logits, boxes = predictions(1, 4)
    annotations = ClipInstances.from_frames(clip([1, 2]))
    assigner = build()
    half = assigner.frame_costs(logits.bfloat16(), boxes, annotations, SHAPE)
    assert half.dtype == torch.float32
    rounded = assigner.frame_costs(logits.bfloat16().float(), boxes, annotations, SHAPE)
    assert torch.equal(half, rounded)


def test_diverged_predictions_are_named():
    annotations = ClipInstances.from_frames(clip([1]))
    cost = torch.full((4, 1), float('nan'))
    with pytest.raises(UserError, match=r'stage 2, clip 0.*learning rate'):
        build().solve(cost, annotations, where='stage 2, clip 0')
