"""All objects of a video of any length: limits and scores of stretches of frames."""

import numpy as np
import pytest
import test_tevit
import torch
from dvis_models import KINDS, build, video, windows

from mmvseg.errors import UserError
from mmvseg.models.postprocess.class_scores import RunningMean, class_probabilities
from mmvseg.models.postprocess.query_masks import FrameGeometry
from mmvseg.models.postprocess.tube_limits import MANY, TubeLimits
from mmvseg.models.postprocess.vis import select_top
from mmvseg.models.postprocess.vis_collector import VISCollector, VISStretchCollector
from mmvseg.models.segmentors.inference_settings import OnlineTestConfig, read_settings

GEOMETRY = FrameGeometry((32, 48), (32, 48), (32, 48))


def run(model, frames, size=3, windows=windows):
    (sample,) = model.stream(windows(frames, size))
    return sample.pred


def tubes(result):
    """Scores and codes of the masks by track and class."""
    names = zip(result.track_ids.tolist(), result.labels.tolist(), strict=True)
    return {
        name: (score, [mask and mask['counts'] for mask in tube])
        for name, score, tube in zip(names, result.scores.tolist(), result.masks, strict=True)
    }


def test_limits_of_a_benchmark_are_the_best_of_the_video():
    scores = torch.rand(4, 5, generator=torch.Generator().manual_seed(0))
    for limits in (TubeLimits(max_per_video=3), TubeLimits(max_per_video=3, max_per_stretch=0)):
        for found, best in zip(limits.select(scores), select_top(scores, 3), strict=True):
            assert torch.equal(found, best)


def test_limits_of_a_stretch_are_a_score_and_a_number():
    scores = torch.tensor([[0.9, 0.04], [0.3, 0.06], [0.05, 0.01]])
    limits = TubeLimits(max_per_video=1, max_per_stretch=10, min_score=0.05)
    found, queries, labels = limits.select(scores)
    assert found.tolist() == pytest.approx([0.9, 0.3, 0.06, 0.05])
    assert queries.tolist() == [0, 1, 1, 2]
    assert labels.tolist() == [0, 0, 1, 0]
    assert len(TubeLimits(max_per_stretch=2).select(scores)[0]) == 2
    assert len(TubeLimits(max_per_stretch=10).select(scores)[0]) == 2
    assert TubeLimits(max_per_stretch=10, min_score=0.95).select(scores)[1].tolist() == [0]


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        *[('max_per_video', value) for value in (0, -1, 2.5, True)],
        *[('max_per_stretch', value) for value in (-1, '7')],
        *[('stretch_frames', value) for value in (0, -60, None)],
    ],
)
def test_numbers_that_are_none_are_refused(key, value):
    with pytest.raises(UserError, match=rf'model\.test_cfg: {key}=.*: give a whole number of at'):
        read_settings(OnlineTestConfig, {key: value})


def test_a_video_that_is_looked_at_has_many_unless_the_config_says_how_many():
    model = build('MinVIS')
    assert not model.test_cfg.by_stretches
    model.report_all()
    assert model.test_cfg.max_per_stretch == MANY
    assert model.test_cfg.stretch_frames == 60
    for wanted in (0, 7):
        model = build('MinVIS', max_per_stretch=wanted)
        model.report_all()
        assert model.test_cfg.max_per_stretch == wanted
        assert model.test_cfg.by_stretches == bool(wanted)


@pytest.mark.parametrize('kind', [*KINDS, 'TeViT'])
def test_one_stretch_reports_what_a_benchmark_does_and_more(kind):
    if kind == 'TeViT':
        frames, of = test_tevit.video(6), test_tevit.windows
        plain, full = (test_tevit.build(max_per_video=5).eval() for _ in range(2))
    else:
        frames, of = video(6), windows
        plain, full = build(kind), build(kind)
    full.report_all()
    best = run(plain, frames, windows=of)
    found = run(full, frames, windows=of)
    assert len(best) == 5 < len(found)
    some = found.select(np.arange(5))
    assert tubes(some) == tubes(best)
    assert some.scores.tolist() == best.scores.tolist()
    assert found.scores[1:].min() >= 0.1


@pytest.mark.parametrize('kind', KINDS)
def test_windows_do_not_change_stretches(kind):
    frames = video(7)
    first = tubes(run(build(kind, max_per_stretch=8, stretch_frames=3), frames, 7))
    for size in (1, 4, 7):
        parts = run(build(kind, max_per_stretch=8, stretch_frames=3), frames, size)
        second = tubes(parts)
        assert first.keys() == second.keys()
        for name, (score, masks) in first.items():
            assert second[name] == (pytest.approx(score, abs=1e-5), masks)


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOnline'])
def test_scores_are_those_of_the_stretches_and_masks_those_of_the_video(kind):
    frames, limit = video(7), dict(max_per_stretch=6, stretch_frames=3)
    model = build(kind, **limit)
    found = tubes(run(model, frames))
    every = tubes(run(build(kind, max_per_stretch=10**6, min_score=0.0), frames))
    state = model.begin(next(windows(frames, 7)).sample)
    (window,) = windows(frames, 7)
    with torch.no_grad():
        logits = torch.cat([queries.class_logits for queries in model.track(state, window)])
    expected = {}
    for part, span in ((logits[:3], (0, 3)), (logits[3:6], (3, 6)), (logits[6:], (6, 7))):
        probs = class_probabilities(part.double().mean(0).float())[:, :-1]
        for score, query, label in zip(*select_top(probs, 6), strict=True):
            if score >= 0.1:
                name = int(query), int(label)
                expected.setdefault(name, []).append((float(score), span))
    assert found.keys() == expected.keys()
    assert any(len(parts) < 3 for parts in expected.values())
    for name, parts in expected.items():
        score, masks = found[name]
        lengths = [stop - start for _, (start, stop) in parts]
        assert score == pytest.approx(np.average([s for s, _ in parts], weights=lengths), abs=1e-5)
        shown = {t for _, (start, stop) in parts for t in range(start, stop)}
        assert masks == [every[name][1][t] if t in shown else None for t in range(7)]


def logits_of_a_visitor(length, present):
    """Two queries: one object is always there, one in the frames ``present``."""
    classes = torch.tensor([[6.0, 0, 0], [0, 6.0, 0]]).repeat(length, 1, 1)
    absent = torch.tensor([t not in present for t in range(length)])
    classes[absent, 1] = torch.tensor([0.0, 0, 6.0])
    masks = torch.full((length, 2, 8, 12), -1.0)
    masks[:, 0, :4], masks[:, 1, 4:] = 1, 1
    return classes, masks


def test_an_object_that_is_there_for_a_moment_is_reported():
    classes, masks = logits_of_a_visitor(100, range(40, 50))
    usual = VISCollector(GEOMETRY, 10, 2**30)
    usual.add(classes, masks)
    scores = {label: score for (_, label), (score, _) in tubes(usual.result()).items()}
    assert scores[1] < 0.05
    collector = VISStretchCollector(GEOMETRY, TubeLimits(max_per_stretch=10), 10, 2**30)
    for start in range(0, 100, 7):
        collector.add(classes[start : start + 7], masks[start : start + 7])
        assert len(collector.masks) <= 10  # what waits for the end of a stretch
    found = tubes(collector.result())
    assert found[0, 0][0] == found[1, 1][0] > 0.98
    assert None not in found[0, 0][1]
    assert [t for t, mask in enumerate(found[1, 1][1]) if mask] == list(range(40, 50))


def test_a_live_run_sees_what_comes_late():
    classes, _ = logits_of_a_visitor(200, range(150, 200))
    late = VISStretchCollector(GEOMETRY, TubeLimits(max_per_stretch=10), 10, 2**30)
    embeds, features = torch.eye(2), torch.ones(2, 8, 12)
    with torch.no_grad():
        found = [tubes(late.add_live(frame, embeds, features)) for frame in classes]
    assert (1, 1) not in found[149]
    assert found[170][1, 1][0] > 0.8
    assert found[170][0, 0][0] > 0.98


def test_mean_of_recent_frames():
    logits = torch.rand(30, 2, 3, generator=torch.Generator().manual_seed(0))
    mean = RunningMean(memory=5)
    mean.add(logits)
    weights = 0.8 ** torch.arange(29, -1, -1, dtype=torch.double)
    expected = (weights[:, None, None] * logits).sum(0) / weights.sum()
    torch.testing.assert_close(mean.value, expected.float())
    assert mean.count == 30


def test_clips_of_a_long_video_keep_all_their_tubes():
    frames = test_tevit.video(16)
    settings = dict(clip_frames=6, clip_overlap=2, max_per_video=3)
    usual = run(test_tevit.build(**settings).eval(), frames, windows=test_tevit.windows)
    model = test_tevit.build(**settings).eval()
    model.report_all()
    found = run(model, frames, windows=test_tevit.windows)
    assert len(usual) == 3 < len(found)
    assert {len(tube) for tube in found.masks} == {16}
    for t in range(16):
        assert any(tube[t] is not None for tube in found.masks)
