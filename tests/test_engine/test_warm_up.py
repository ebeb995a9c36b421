"""Warm-up and fall of the learning rate, against the published values."""

import json

import pytest
import torch
import toy
from helpers import REPOSITORY
from torch import nn

from mmvseg.checkpoints.files import load_checkpoint_file
from mmvseg.engine import WarmUpPolyLR
from mmvseg.engine.schedule import check_schedule
from mmvseg.errors import UserError

TABLES = REPOSITORY / 'tests' / 'data' / 'videomt_optimisation'
#: mmengine's own way of telling the toy's encoder from the rest
MARKED = dict(custom_keys=dict(backbone=dict(encoder=True), head=dict(encoder=False)))


def optimizer(base=1e-4, **marks):
    groups = [
        dict(params=[nn.Parameter(torch.zeros(1))], lr=0.36 * base, **marks),
        dict(params=[nn.Parameter(torch.zeros(1))], lr=base),
    ]
    return torch.optim.SGD(groups)


def rates(optimizer, steps, **options):
    """Rates of the encoder with the multiplier 0.36 and of the others, by step."""
    scheduler = WarmUpPolyLR(optimizer, by_epoch=False, **options)
    found = []
    for _ in range(steps):
        found.append([group['lr'] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize('name', ['schedule_videomt', 'schedule_pmt'])
def test_rates_are_the_published_ones(name):
    table = json.loads((TABLES / f'{name}.json').read_text())
    warm_up, encoder_warm_up = table['warmup_steps'], None
    if isinstance(warm_up, list):
        warm_up, encoder_warm_up = warm_up
    found = rates(
        optimizer(table['base_lr'], encoder=True),
        60000,
        warm_up=warm_up,
        encoder_warm_up=encoder_warm_up,
        end=table['total_steps'],
    )
    *rows, last = table['rows']
    assert last == [60000, 0, 0]  # which no step takes
    for step, encoder, others in rows:
        expected = [pytest.approx(0.36 * encoder, rel=1e-12), pytest.approx(others, rel=1e-12)]
        assert found[step] == expected, step


def test_begin_moves_the_schedule():
    plain = rates(optimizer(encoder=True), 20, warm_up=3, encoder_warm_up=4, end=20)
    moved = rates(optimizer(encoder=True), 27, warm_up=3, encoder_warm_up=4, begin=7, end=27)
    assert moved[7:] == plain
    assert moved[:7] == [[0.36e-4, 1e-4]] * 7  # nothing is scheduled


def test_no_warm_up():
    found = rates(optimizer(encoder=True), 4, warm_up=0, encoder_warm_up=0, end=4)
    assert found[0] == [0.36e-4, 1e-4]
    assert found[2] == pytest.approx([0.36e-4 * 0.5**0.9, 0.5**0.9 * 1e-4])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(warm_up=10), r'param_scheduler: warm_up = 10 leave nothing of a schedule of 10 '),
        (dict(warm_up=4, encoder_warm_up=6), r'warm_up = 4 and encoder_warm_up = 6 leave'),
        (dict(warm_up=-1), r'param_scheduler\.warm_up = -1: must be a whole number from 0 on'),
        (dict(warm_up=0.5), r'param_scheduler\.warm_up = 0\.5: '),
        (dict(warm_up=1, encoder_warm_up='2'), r"param_scheduler\.encoder_warm_up = '2': "),
    ],
)
def test_warm_ups_of_no_use_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        WarmUpPolyLR(optimizer(encoder=True), end=10, **options)


def test_groups_that_do_not_name_the_encoder_are_refused():
    message = r"encoder_warm_up = 2: .* optim_wrapper\.constructor = 'LayerDecayOptimWrapperCon"
    with pytest.raises(UserError, match=message):
        WarmUpPolyLR(optimizer(), warm_up=1, encoder_warm_up=2, end=10)
    WarmUpPolyLR(optimizer(encoder=False), warm_up=1, encoder_warm_up=2, end=10)  # it is frozen


def train(config, work_dir, max_iters=8, **options):
    scheduler = dict(type='WarmUpPolyLR', by_epoch=False, warm_up=2, encoder_warm_up=2)
    options = dict(
        train_cfg__max_iters=max_iters,
        param_scheduler=[scheduler | options.pop('scheduler', {})],
        optim_wrapper__paramwise_cfg=MARKED,
        **options,
    )
    runner = toy.make_runner(config, work_dir, **options)
    check_schedule(runner.cfg)
    runner.train()
    return runner


def logged(work_dir, iteration):
    """The others' learning rate in each iteration."""
    checkpoint = load_checkpoint_file(work_dir / f'iter_{iteration}.pth')
    return checkpoint['message_hub']['log_scalars']['train/base_lr']['log_history']


def test_a_training_goes_by_its_length(toy_config, tmp_path):
    train(toy_config, tmp_path)
    falls = [(1 - step / 6) ** 0.9 for step in range(6)]
    assert logged(tmp_path, 8) == pytest.approx([0.01 * x for x in [0, 0.5, *falls]])


def test_a_resumed_training_takes_the_lengths_of_its_config(toy_config, tmp_path):
    train(toy_config, tmp_path / 'short', max_iters=4, scheduler=dict(encoder_warm_up=1))
    resumed = dict(resume=True, load_from=str(tmp_path / 'short' / 'iter_4.pth'))
    train(toy_config, tmp_path / 'long', **resumed)
    train(toy_config, tmp_path / 'whole')
    assert logged(tmp_path / 'long', 8)[4:] == logged(tmp_path / 'whole', 8)[4:]
    ends = [load_checkpoint_file(tmp_path / name / 'iter_8.pth') for name in ('long', 'whole')]
    groups = [end['optimizer']['param_groups'] for end in ends]
    assert groups[0] == groups[1]
    assert {group['encoder'] for group in groups[0] if 'encoder' in group} == {True, False}


def test_a_training_from_weights_begins_at_zero(toy_config, tmp_path):
    train(toy_config, tmp_path / 'first')
    train(toy_config, tmp_path / 'next', load_from=str(tmp_path / 'first' / 'iter_8.pth'))
    assert logged(tmp_path / 'next', 8) == logged(tmp_path / 'first', 8)


def test_warm_up_beyond_the_training(toy_config, tmp_path):
    with pytest.raises(UserError, match=r'of a schedule of 4 steps, by default train_cfg\.max_it'):
        train(toy_config, tmp_path, max_iters=4)
    train(toy_config, tmp_path, max_iters=4, scheduler=dict(end=8))
    assert logged(tmp_path, 4)[2:] == pytest.approx([0.01, 0.01 * (1 - 1 / 6) ** 0.9])


def test_epochs_are_refused_in_a_training_by_iterations(toy_config):
    cfg = toy.load_config(toy_config, {})
    cfg.param_scheduler = dict(type='WarmUpPolyLR', warm_up=2)
    with pytest.raises(UserError, match=r'param_scheduler\.by_epoch \(by default\) counts epochs'):
        check_schedule(cfg)
