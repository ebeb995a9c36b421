"""Schedules in epochs, and numbers that no validation gives, in trainings by iterations."""

import pytest

from mmvseg.engine.config import load_config
from mmvseg.engine.monitors import check_monitors, numbers_of
from mmvseg.engine.schedule import check_schedule
from mmvseg.errors import UserError

STEP = dict(type='MultiStepLR', milestones=[2])
METRIC = dict(type='YouTubeVISMetric', ann_file='train.json')


def config(path, **options):
    whole = {key: options.pop(key) for key in list(options) if '__' not in key}
    cfg = load_config(path, {key.replace('__', '.'): value for key, value in options.items()})
    for key, value in whole.items():
        cfg[key] = value
    return cfg


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(train_cfg__by_epoch=True), r'train_cfg\.by_epoch: .* leave by_epoch out'),
        (dict(train_cfg__max_iters=0), r'train_cfg\.max_iters: .* whole number of at least 1'),
        (dict(train_cfg__max_iters='x'), r"train_cfg\.max_iters: .* 'x' .* whole number"),
        (
            dict(train_cfg__val_interval=0),
            r'train_cfg\.val_interval: .* whole number of at least 1',
        ),
        (dict(train_cfg__val_begin=9), r'train_cfg\.val_begin = 9: beyond .*max_iters = 8'),
        (dict(param_scheduler=[STEP]), r'param_scheduler\.0\.by_epoch \(by default\) counts'),
        (dict(param_scheduler=dict(STEP, by_epoch=True)), r'param_scheduler\.by_epoch = True'),
        (dict(param_scheduler=['x']), r"param_scheduler\.0: is 'x'; dict\(type="),
        (
            dict(param_scheduler=[dict(type='OneCycleLR', total_steps=3, by_epoch=False)]),
            r'param_scheduler\.0\.total_steps = 3: ends before .*max_iters = 8',
        ),
        (dict(default_hooks__checkpoint__by_epoch=True), r'default_hooks\.checkpoint\.by_epoch'),
        (dict(default_hooks__logger__log_metric_by_epoch=True), r'write log_metric_by_epoch=False'),
        (dict(log_processor__by_epoch=True), r'log_processor\.by_epoch = True'),
        (dict(custom_hooks=[dict(type='EMAHook', begin_epoch=2)]), 'write begin_iter instead'),
        (dict(custom_hooks=[dict(type='ProfilerHook')]), r'custom_hooks\.0\.by_epoch'),
        (dict(custom_hooks=['x']), r"custom_hooks\.0: is 'x'"),
    ],
)
def test_what_counts_epochs_is_refused(toy_config, options, message):
    check_schedule(config(toy_config))
    with pytest.raises(UserError, match=message) as refused:
        check_schedule(config(toy_config, **options))
    if 'epoch' in message and 'leave' not in message:
        # 3 videos of 5 frames: 12 or 15 anchors, 2 a batch
        assert '8 iterations are about one epoch' in str(refused.value)


@pytest.mark.parametrize('loop', [dict(by_epoch=True), dict(type='EpochBasedTrainLoop')])
def test_epochs_of_an_endless_sampler_are_refused(toy_config, loop):
    cfg = config(toy_config)
    cfg.train_cfg = dict(loop, max_epochs=3)
    with pytest.raises(UserError, match=r"type='VideoTrainLoop', max_iters=3 \* 8\).*8 iterations"):
        check_schedule(cfg)


@pytest.mark.parametrize(
    ('scheduler', 'key'),
    [
        (dict(type='OneCycleLR', total_steps=9), 'total_steps=8'),
        (dict(type='OneCycleLR', begin=3, total_steps=6), 'total_steps=5'),
        (dict(type='CosineAnnealingLR', begin=3, T_max=6, end=9), 'T_max=5'),
        (dict(type='CosineAnnealingLR', end=9), 'end=8'),
        (dict(type='mmengine.PolyLR', begin=3, end=9), 'end=8'),
        (dict(type='PolyLR', begin=8, end=9), 'begin'),
        (dict(type='OneCycleLR', total_steps=8), None),
        (dict(type='CosineAnnealingLR', begin=3, T_max=5, end=9), None),
        (dict(type='PolyLR', begin=3, end=8), None),
        (dict(type='LinearLR', end=9), None),
        (dict(type='MultiStepLR', milestones=[9]), None),
        (dict(type='WarmUpPolyLR', warm_up=2, end=9), None),  # by default as long as the training
    ],
)
def test_a_rate_that_falls_for_longer_than_the_training_is_noted(
    toy_config, capsys, scheduler, key
):
    check_schedule(config(toy_config, param_scheduler=[dict(scheduler, by_epoch=False)]))
    note = capsys.readouterr().err
    if key is None:
        assert note == ''
    else:
        assert note.startswith('note: the learning rate is scheduled for 9 iterations, the tr')
        assert note.endswith(f' param_scheduler.0.{key}\n')


def test_what_a_config_leaves_out_counts_iterations(toy_config):
    cfg = config(toy_config)
    cfg.pop('default_hooks')
    cfg.pop('log_processor')
    check_schedule(cfg)
    assert cfg.default_hooks.checkpoint.by_epoch is False
    assert cfg.default_hooks.logger.log_metric_by_epoch is False
    assert cfg.log_processor.by_epoch is False


def test_converted_schedulers_do_not_end_with_the_first_epoch(toy_config):
    scheduler = dict(STEP, convert_to_iter_based=True)
    cfg = config(toy_config, param_scheduler=[scheduler], train_cfg__max_iters=20)
    check_schedule(cfg)
    assert cfg.param_scheduler[0]['end'] == 3  # epochs of 8 iterations


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(default_hooks__checkpoint__save_best='coco/segm_mAP'), r'checkpoint\.save_best = '),
        (dict(default_hooks__checkpoint__save_best=['youtube_vis/AP', 'a']), "save_best = 'a'"),
        (dict(custom_hooks=[dict(type='EarlyStoppingHook', monitor='a')]), r'0\.monitor'),
        (dict(param_scheduler=[dict(type='ReduceOnPlateauLR')]), "monitor = 'loss'"),
    ],
)
def test_numbers_that_are_not_given_are_refused(toy_config, options, message):
    message = f"{message}.*it gives youtube_vis/AP, youtube_vis/AP50|{message}'loss'"
    cfg = config(toy_config, **options)
    check_monitors(cfg)  # MeanScore does not state its numbers
    cfg.val_evaluator = METRIC
    with pytest.raises(UserError, match=message):
        check_monitors(cfg)


def test_rules(toy_config):
    cfg = config(toy_config, default_hooks__checkpoint__save_best='auto', val_evaluator=METRIC)
    check_monitors(cfg)
    assert cfg.default_hooks.checkpoint.rule == 'greater'
    cfg.default_hooks.checkpoint.rule = 'max'
    with pytest.raises(UserError, match=r"rule = 'max': it is one of greater, less"):
        check_monitors(cfg)


def test_best_of_nothing_is_said(toy_config, capsys):
    cfg = config(toy_config, default_hooks__checkpoint__save_best='a')
    cfg.val_evaluator = None
    check_monitors(cfg)
    assert 'save_best: does nothing without validation' in capsys.readouterr().err
    assert cfg.default_hooks.checkpoint.rule == 'greater'  # it is built all the same


def test_other_hooks_may_monitor_what_they_like(toy_config):
    hook = dict(type='OwnHook', monitor='loss')
    cfg = config(toy_config, custom_hooks=[hook], val_evaluator=METRIC)
    check_monitors(cfg)
    assert cfg.custom_hooks == [hook]


def test_numbers_of_several_metrics():
    both = [METRIC, dict(type='OVISMetric', ann_file='a.json', prefix='o')]
    names = numbers_of(both)
    assert len(names) == 12 + 18
    assert names == list(dict.fromkeys(names))
    assert 'o/AP_heavy' in names
    assert numbers_of(dict(metrics=both)) == names
    assert numbers_of([METRIC, dict(type='CocoMetric')]) is None
