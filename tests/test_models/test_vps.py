import numpy as np
import pytest
import torch
from dense_heads import panoptic, rows_of

from mmvseg.models.postprocess import mask_probabilities
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.vps import (
    Candidates,
    PanopticRules,
    claim_pixels,
    make_segments,
    segment_video,
)
from mmvseg.models.postprocess.vps_collector import VPSCollector

GEOMETRY = FrameGeometry((40, 56), (64, 96), (64, 96))
RULES = PanopticRules(num_things=3)


def scene(seed, num_queries=9, num_classes=6, num_frames=3):
    """Class probabilities (Q, K + 1) and smooth masks (Q, T, 16, 24)."""
    generator = torch.Generator().manual_seed(seed)
    class_probs = (torch.randn(num_queries, num_classes + 1, generator=generator) * 4).softmax(1)
    seeds = torch.randn(num_queries, num_frames, 4, 6, generator=generator) * 6
    masks = torch.nn.functional.interpolate(seeds, (16, 24), mode='bicubic')
    return class_probs, masks


def segment(class_probs, masks, rules=RULES, geometry=GEOMETRY):
    candidates = Candidates.select(class_probs, rules.object_mask_threshold)
    frames = iter(masks[candidates.queries].transpose(0, 1))
    return segment_video(candidates, frames, geometry, rules)


def boxes(*places, size=(16, 24), num_frames=2):
    """Hard masks (Q, T, h, w) from (top, bottom, left, right) a query."""
    masks = torch.full((len(places), num_frames, *size), -20.0)
    for mask, (top, bottom, left, right) in zip(masks, places, strict=True):
        mask[:, top:bottom, left:right] = 20.0
    return masks


def certain(*labels, num_classes=6, prob=0.95):
    """One class a query, ``num_classes`` for "no object"."""
    probs = torch.full((len(labels), num_classes + 1), (1 - prob) / num_classes)
    probs[range(len(labels)), list(labels)] = prob
    return probs


@pytest.mark.parametrize('band_bytes', [10_000, 2**23])
def test_equals_the_plain_way(band_bytes, monkeypatch):
    monkeypatch.setitem(mask_probabilities.BAND_BYTES, 'cpu', band_bytes)
    num_segments = 0
    for seed in range(12):
        class_probs, masks = scene(seed)
        rules = PanopticRules(3, object_mask_threshold=0.5, overlap_threshold=0.45)
        result = segment(class_probs, masks, rules)
        maps, segments = panoptic(class_probs, masks, GEOMETRY, 3, 0.5, 0.45)
        assert rows_of(result.segments) == segments
        assert (np.stack(list(result.maps)) != maps.numpy()).sum() <= 2  # ties of noise
        num_segments += len(segments)
    assert num_segments > 20


def test_no_candidates_leave_everything_void():
    class_probs, masks = certain(6, 6, 1, prob=0.7), boxes(*[(0, 16, 0, 24)] * 3)
    result = segment(class_probs, masks)
    assert result.segments == []
    assert [item.shape for item in result.maps] == [(40, 56)] * 2
    assert not np.stack(list(result.maps)).any()


def test_scores_must_exceed_the_threshold():
    class_probs = certain(0)
    at = PanopticRules(3, object_mask_threshold=float(class_probs[0, 0]))
    assert len(Candidates.select(class_probs, at.object_mask_threshold)) == 0
    assert len(Candidates.select(class_probs, 0.94)) == 1


def test_stuff_of_a_class_is_one_segment_and_things_are_not():
    masks = boxes((0, 8, 0, 12), (0, 8, 12, 24), (8, 16, 0, 12), (8, 16, 12, 24))
    result = segment(certain(4, 4, 1, 1), masks)
    assert rows_of(result.segments) == [(1, 4, False, 0), (2, 1, True, 2), (3, 1, True, 3)]
    expected = np.repeat(np.array([[1, 1], [2, 3]]), 20, 0).repeat(28, 1)
    for item in result.maps:
        differs = item != expected
        assert differs[[19, 20]].sum() + differs[:, [27, 28]].sum() >= differs.sum()  # the edges
    assert result.segments[0].score == pytest.approx(0.95)


def test_stuff_after_a_rejected_query_of_its_class_gets_the_first_id():
    """The rejected one has most of its mask taken by a surer query."""
    masks = boxes((0, 14, 0, 24), (0, 12, 0, 24), (14, 16, 0, 24))
    probs = torch.cat([certain(4, prob=0.85), certain(0, prob=0.99), certain(4)])
    result = segment(probs, masks)
    assert rows_of(result.segments) == [(1, 0, True, 1), (2, 4, False, 2)]
    first = result.maps[0]
    assert (first[:28] == 1).all()
    assert not first[33, :].any()  # won by the rejected query
    assert (first[37:] == 2).all()


def test_area_is_that_of_the_whole_video():
    """Hidden in one frame of two is too much; in one of eight it is not."""
    for num_frames, accepted in ((2, False), (8, True)):
        masks = boxes((0, 16, 0, 24), (0, 16, 0, 24), num_frames=num_frames)
        masks[1, 1:] = -20.0
        probs = torch.cat([certain(4, prob=0.85), certain(0, prob=0.99)])
        result = segment(probs, masks)
        assert [s.query for s in result.segments] == ([0, 1] if accepted else [1])
        assert (result.maps[0] == (2 if accepted else 1)).all()
        assert (result.maps[1] == (1 if accepted else 0)).all()


def test_an_empty_mask_is_no_segment():
    """Where all are equal the first wins, so it has pixels, none of them probable."""
    masks = boxes((0, 0, 0, 0), (0, 8, 0, 24))
    masks[:, :, 8:] = -200.0  # a probability of 0 in float32
    result = segment(certain(0, 1), masks)
    assert rows_of(result.segments) == [(1, 1, True, 1)]
    _, areas = claim_pixels(masks[:, 0], torch.tensor([0.9, 0.9]), GEOMETRY)
    assert areas[0, 0] > 500
    assert areas[0, 1:].tolist() == [0, 0]


def test_more_than_255_segments():
    cells = [(t, t + 1, c, c + 1) for t in range(16) for c in range(24)]
    geometry = FrameGeometry((64, 96), (64, 96), (64, 96))
    masks, probs = boxes(*cells, num_frames=1), certain(*[0] * len(cells))
    result = segment(probs, masks, PanopticRules(3, overlap_threshold=0.1), geometry)
    assert len(result.segments) == 384
    (item,) = result.maps
    assert item.dtype == np.uint16
    assert len(np.unique(item)) == 385
    maps, _ = panoptic(probs, masks, geometry, 3, 0.8, 0.1)
    assert np.array_equal(item, maps[0])


def test_live_ids_depend_on_query_and_class_only():
    candidates = Candidates(
        torch.tensor([2, 5, 7]), torch.tensor([4, 1, 4]), torch.tensor([0.9, 0.9, 0.9])
    )
    areas = np.full((3, 3), 10)
    segments, ids = make_segments(candidates, areas, RULES, num_queries=300)
    assert rows_of(segments) == [(305, 4, False, 2), (6, 1, True, 5)]
    assert ids.tolist() == [0, 305, 6, 305]
    assert ids.dtype == np.uint16
    segments, ids = make_segments(candidates, areas * [[0], [1], [1]], RULES, num_queries=300)
    assert rows_of(segments) == [(6, 1, True, 5), (305, 4, False, 7)]
    assert ids.tolist() == [0, 0, 6, 305]


@pytest.mark.parametrize('seed', range(4))
def test_last_live_frame_agrees_with_the_video_if_classes_do(seed):
    class_probs, masks = scene(seed)
    class_logits, num_queries = class_probs.log(), len(class_probs)
    rules = PanopticRules(3, object_mask_threshold=0.5, overlap_threshold=0.4)
    video, live = (VPSCollector(GEOMETRY, rules, memory_limit=2**20) for _ in range(2))
    embeds = torch.eye(num_queries)
    for mask_logits in masks.transpose(0, 1):
        video.add(class_logits[None], mask_logits[None])
        last = live.add_live(class_logits, embeds, mask_logits)
    result = video.result()
    stable = {
        s.id: s.query + 1 if s.is_thing else num_queries + 1 + s.label for s in result.segments
    }
    table = np.array([0, *(stable[i + 1] for i in range(len(stable)))])
    assert len(stable) > 0
    assert np.array_equal(table[result.maps[-1]], last.maps[0])
    assert {s.id for s in last.segments} == set(stable.values())
    assert len(live.masks) == 0
