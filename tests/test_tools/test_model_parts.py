"""The timer that wraps a model's parts from outside, and the parts of each model."""

import sys
import time
import types

import pytest
import token_models
import torch
import toy  # noqa: F401 - registers ToySegmentor
from helpers import REPOSITORY

from mmvseg.engine.config import load_config
from mmvseg.registry import MODELS

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure
import model_parts


def test_part_timer_nests_and_restores():
    module = torch.nn.Linear(2, 2)
    space = types.SimpleNamespace(inner=lambda: time.sleep(0.02))
    space.outer = lambda: (space.inner(), space.inner(), module(torch.ones(2)))
    original = space.inner
    parts = [
        model_parts.Part('outer', space, 'outer'),
        model_parts.Part('inner', space, 'inner'),
        model_parts.Part('linear', module),
    ]
    with model_parts.PartTimer(parts) as timer:
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
    with pytest.raises(RuntimeError), model_parts.PartTimer([model_parts.Part('linear', module)]):
        module(torch.ones(3))
    assert 'forward' not in vars(module)


def test_parts_of_an_unlisted_model_are_its_children():
    preprocessor = dict(type='VideoDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3)
    head = dict(type='ToyHead', num_classes=2)
    model = MODELS.build(dict(type='ToySegmentor', head=head, data_preprocessor=preprocessor))
    assert [part.name for part in model_parts.parts_of(model)] == [
        'backbone',
        'norm',
        'dropout',
        'head',
    ]
    assert model_parts.post_processing_of(model) == []


def test_part_timer_follows_generators():
    def count():
        for number in range(3):
            time.sleep(0.01)
            space.inner()
            yield number

    space = types.SimpleNamespace(count=count, inner=lambda: None)
    parts = [model_parts.Part(name, space, name) for name in ('count', 'inner')]
    with model_parts.PartTimer(parts) as timer:
        for _ in space.count():
            time.sleep(0.03)  # not the generator's time
    assert 0.03 <= timer.times['count',].wall_s < 0.09
    assert timer.times['count',].calls == 1
    assert timer.times['count', 'inner'].calls == 3


SEGMENTER = {('backbone',), ('pixel decoder',), ('frame decoder',)}
TRACKER = {('tracker',), ('tracker', 'matching')}
POST = {('post-processing',), ('post-processing', 'run-length coding')}
STORED = POST | {('post-processing', 'storing')}


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        ('minvis', SEGMENTER | {('matching',)} | STORED),
        ('dvis_online', SEGMENTER | TRACKER | STORED),
        ('dvis_offline', SEGMENTER | TRACKER | {('refer to self',), ('refiner',)} | POST),
    ],
)
def test_parts_of_query_models(name, expected):
    model = measure.build_model(load_config(REPOSITORY / f'configs/shapes/{name}_shapes.py'))
    window = measure.make_window(2, (32, 64), (64, 128))
    before = model.predict([window])[0].pred
    with model_parts.PartTimer(model_parts.parts_of(model)) as timer:
        timed = model.predict([window])[0].pred
    assert set(timer.times) == expected
    assert timed.masks == before.masks
    assert {part.name for part in model_parts.post_processing_of(model)} == {'post-processing'}
    for target in model_parts.compile_targets(model):
        assert callable(getattr(target.owner, target.attribute))


@pytest.mark.parametrize('name', ['minvis_shapes_vps', 'dvis_online_shapes_vss'])
def test_parts_of_maps(name):
    options = {'model.test_cfg.object_mask_threshold': 0.0}
    config = load_config(REPOSITORY / f'configs/shapes/{name}.py', options)
    model = measure.build_model(config)
    with model_parts.PartTimer(model_parts.parts_of(model)) as timer:
        model.predict([measure.make_window(2, (32, 64), (64, 128))])
    assert {('post-processing',), ('post-processing', 'storing')} <= set(timer.times)


@pytest.mark.parametrize('task', ['vps', 'vss'])
def test_refining_is_no_post_processing(task):
    config = load_config(REPOSITORY / f'configs/shapes/dvis_offline_shapes_{task}.py')
    model = measure.build_model(config)
    with model_parts.PartTimer(model_parts.parts_of(model)) as timer:
        model.predict([measure.make_window(2, (32, 64), (64, 128))])
    assert {('post-processing',), ('refiner',)} <= set(timer.times)
    assert ('post-processing', 'refiner') not in timer.times


TOKENS = {('encoder',), ('query blocks',), ('heads',), ('upscaling',)}


@pytest.mark.parametrize(
    ('kind', 'options', 'expected'),
    [
        ('EoMT', {}, {('matching',)}),
        ('VidEoMT', {}, {('propagation',)}),
        ('VidEoMT', dict(frames_alone=True), {('matching',)}),
        ('PMT', {}, {('propagation',)}),
    ],
)
def test_parts_of_plain_transformers(kind, options, expected):
    model = token_models.build(kind, **options)
    window = measure.make_window(2, (32, 64), (64, 128))
    before = model.predict([window])[0].pred
    with model_parts.PartTimer(model_parts.parts_of(model)) as timer:
        timed = model.predict([window])[0].pred
    masks = {('post-processing', 'masks')}
    assert set(timer.times) == TOKENS | expected | masks | STORED
    assert timed.masks == before.masks
    assert all(part.wall_s > 0 for part in timer.times.values())


def test_a_part_that_is_apart_is_not_in_the_ones_that_call_it(monkeypatch):
    clock = types.SimpleNamespace(now=0)
    monkeypatch.setattr(model_parts.time, 'perf_counter', lambda: clock.now)
    monkeypatch.setattr(model_parts.time, 'process_time', lambda: 2 * clock.now)

    def work(seconds, then=lambda: None):
        clock.now += seconds
        then()

    space = types.SimpleNamespace(inner=lambda: work(4))
    space.middle = lambda: work(2, space.inner)
    space.outer = lambda: work(1, space.middle)
    parts = [model_parts.Part(name, space, name) for name in ('outer', 'middle')]
    with model_parts.PartTimer([*parts, model_parts.Part('inner', space, 'inner', True)]) as timer:
        space.outer()
        space.inner()
    figures = {path: (part.wall_s, part.cpu_s) for path, part in timer.times.items()}
    assert figures == {('outer',): (3, 6), ('outer', 'middle'): (2, 4), ('inner',): (8, 16)}


@pytest.mark.parametrize('graphs', [False, True])
@pytest.mark.parametrize('kind', token_models.KINDS)
def test_plain_transformers_compile_without_breaks(kind, graphs, monkeypatch):
    """Traced, and run as they are: torch's own compiler takes a minute."""
    modes, compile_function = [], torch.compile

    def trace(function, dynamic, mode):
        modes.append(mode)
        return compile_function(function, dynamic=dynamic, backend='eager', fullgraph=True)

    monkeypatch.setattr(torch, 'compile', trace)
    model = token_models.build(kind, 'DINOv3')
    for part in model_parts.compile_targets(model):  # classes' own: put back at the end
        monkeypatch.setattr(part.owner, part.attribute, getattr(part.owner, part.attribute))
    window = measure.make_window(3, (32, 64), (64, 128))
    before = model.predict([window])[0].pred
    model_parts.compile_model(model, graphs)
    (after,) = model.predict([window])
    assert set(modes) == {'reduce-overhead' if graphs else None}
    assert after.pred.masks == before.masks
    assert after.pred.scores == pytest.approx(before.scores)
    torch._dynamo.reset()


def test_models_without_known_graphs():
    model = measure.build_model(load_config(REPOSITORY / 'configs/shapes/minvis_shapes.py'))
    assert model_parts.graph_targets(model) == []
