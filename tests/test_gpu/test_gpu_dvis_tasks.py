"""Panoptic and semantic results on a GPU against those of a CPU; half precision."""

import numpy as np
import pytest
import torch
from dense_heads import build_varied, rows_of
from dvis_models import KINDS, video, windows

pytestmark = pytest.mark.gpu
TASKS = ['vps', 'vss']


def predict(model):
    (result,) = model.predict(windows(video(4), 2))
    return result.pred


def share_that_differs(first, second):
    return np.mean([(a != b).mean() for a, b in zip(first.maps, second.maps, strict=True)])


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('task', TASKS)
def test_prediction(device, kind, task):
    model = build_varied(kind, task)
    expected, actual = predict(model), predict(model.to(device))
    if task == 'vps':
        assert rows_of(actual.segments) == rows_of(expected.segments)
    assert share_that_differs(actual, expected) < 0.01


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_classes_in_half_precision(device, kind, dtype):
    model = build_varied(kind, 'vss').to(device)
    full = predict(model)
    with torch.autocast(torch.device(device).type, dtype):
        half = predict(model)
    assert share_that_differs(half, full) < 0.5  # of a random model


@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16])
def test_segments_in_half_precision(device, kind, dtype):
    """Which queries become segments hangs on thresholds, where a random model decides anything."""
    model = build_varied(kind, 'vps').to(device)
    with torch.autocast(torch.device(device).type, dtype):
        half = predict(model)
    ids = {0, *(segment.id for segment in half.segments)}
    assert all(set(np.unique(item)) <= ids for item in half.maps)
    assert all(0.25 < segment.score <= 1 for segment in half.segments)


@pytest.mark.parametrize('kind', ['MinVIS', 'DVISOnline'])
@pytest.mark.parametrize('task', TASKS)
def test_live(device, kind, task):
    model = build_varied(kind, task)
    expected, actual = (
        [report for _, report in model.to(place).live(windows(video(3), 1))]
        for place in ('cpu', device)
    )
    assert len(actual) == 3
    assert max(share_that_differs(a, b) for a, b in zip(actual, expected, strict=True)) < 0.01
