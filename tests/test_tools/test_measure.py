"""The timer that wraps a model's parts from outside, and the choice of parts."""

import sys
import time
import types

import pytest
import torch
import toy  # noqa: F401 - registers ToySegmentor
from helpers import REPOSITORY

from mmvseg.registry import MODELS

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure


def test_part_timer_nests_and_restores():
    module = torch.nn.Linear(2, 2)
    space = types.SimpleNamespace(inner=lambda: time.sleep(0.02))
    space.outer = lambda: (space.inner(), space.inner(), module(torch.ones(2)))
    original = space.inner
    parts = [
        measure.Part('outer', space, 'outer'),
        measure.Part('inner', space, 'inner'),
        measure.Part('linear', module),
    ]
    with measure.PartTimer(parts) as timer:
        space.outer()
        space.inner()
    assert set(timer.times) == {('outer',), ('outer', 'inner'), ('outer', 'linear'), ('inner',)}
    assert timer.times['outer', 'inner'].calls == 2
    assert timer.times['outer',].wall_s >= timer.times['outer', 'inner'].wall_s >= 0.04
    assert timer.times['outer', 'inner'].cpu_s < 0.02  # it slept
    assert space.inner is original
    assert 'forward' not in vars(module)


def test_part_timer_restores_after_an_error():
    module = torch.nn.Linear(2, 2)
    with pytest.raises(RuntimeError), measure.PartTimer([measure.Part('linear', module)]):
        module(torch.ones(3))
    assert 'forward' not in vars(module)


def test_parts_of_an_unlisted_model_are_its_children():
    preprocessor = dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3)
    head = dict(type='ToyHead', num_classes=2)
    model = MODELS.build(dict(type='ToySegmentor', head=head, data_preprocessor=preprocessor))
    assert [part.name for part in measure.parts_of(model)] == [
        'backbone',
        'norm',
        'dropout',
        'head',
    ]
    assert measure.post_processing_of(model) == []


def test_window_of_noise_is_reproducible():
    first, second = (measure.make_window(3, (36, 64), (72, 128)) for _ in range(2))
    assert first.frames.shape == (3, 3, 36, 64)
    assert first.frames.equal(second.frames)
    assert first.sample.scale_factor == (0.5, 0.5)


def test_peak_memory_sees_what_is_gone():
    measure.reset_peak_resident()
    before = measure.peak_resident_gb()
    block = torch.ones(50_000_000)
    del block
    assert measure.peak_resident_gb() - before > 0.18
    assert measure.resident_gb() < measure.peak_resident_gb()


def test_markdown_table():
    table = measure.markdown_table(['part', 's'], [['backbone', 1], ['FPN', 22]])
    assert table.splitlines() == [
        '| part     | s  |',
        '| -------- | -- |',
        '| backbone | 1  |',
        '| FPN      | 22 |',
    ]
