"""``--cfg-options``: what is read from the command line, and what of it a config takes."""

import argparse

import pytest
from mmengine.config import Config

from mmvseg.commands.cfg_options import add_cfg_options, parse_value
from mmvseg.engine.cfg_options import apply_options
from mmvseg.errors import UserError

SCHEDULE = "[dict(type='MultiStepLR', milestones=[2], gamma=0.1)]"


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('3', 3),
        ('-1', -1),
        ('1e-4', 1e-4),
        ('007', 7),
        ('1_000', 1000),
        ('inf', float('inf')),
        ('true', True),
        ('False', False),
        ('None', None),
        ('1,2', [1, 2]),
        ('1,', [1]),
        ('[1,2]', [1, 2]),
        ('(1, 2)', (1, 2)),
        ('"(1,2)"', (1, 2)),
        ('(3,)', (3,)),
        ('[]', []),
        ('[(640, 360), (960, 480)]', [(640, 360), (960, 480)]),
        ('a,b', ['a', 'b']),
        ('[cup,fork]', ['cup', 'fork']),
        ('[mmdet.ResNet, true, None]', ['mmdet.ResNet', True, None]),
        ('[/data/a,/data/b]', ['/data/a', '/data/b']),
        ('/data/a,/data/b', ['/data/a', '/data/b']),
        ('[tea cup, fork]', ['tea cup', 'fork']),
        ("{'max_norm': 1.0}", dict(max_norm=1.0)),
        ('{max_norm: 1}', dict(max_norm=1)),
        (SCHEDULE, [dict(type='MultiStepLR', milestones=[2], gamma=0.1)]),
        ("dict(a=dict(b=['x, y']))", dict(a=dict(b=['x, y']))),
        ("'x y'", 'x y'),
        ('"#1"', '#1'),
        ('', ''),
        ('my model.pth', 'my model.pth'),
        ('a, b and c', 'a, b and c'),
        ('x=y=z', 'x=y=z'),
        ("it's", "it's"),
        ('f(x)', 'f(x)'),
        ('1-2', '1-2'),
        ('a)', 'a)'),
        ('a #b', 'a #b'),
        ('-' * 3000 + '1', '-' * 3000 + '1'),
        ('\udcff', '\udcff'),
        ('²', '²'),
    ],
)
def test_values(text, value):
    read = parse_value('key', text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('runs/with space', 'runs/with space'),
        ('a, b [c] = "d"', 'a, b [c] = "d"'),
        ('a,b', 'a,b'),
        ('[1]', '[1]'),
        ('2024', '2024'),
        ("'a b'", 'a b'),
        ('None', None),
    ],
)
@pytest.mark.parametrize('key', ['work_dir', 'load_from', 'train_dataloader.dataset.data_root'])
def test_paths_are_texts(key, text, value):
    assert parse_value(key, text) == value


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        ('[1,2', 'begins like a list, tuple or dict, but is none'),
        ('[1] #b', 'begins like'),
        ('dict(a=1', 'begins like'),
        ('{a,b}', 'begins like'),
        ('{[]: 1}', 'begins like'),
        ('dict(**a)', 'begins like'),
        ('[' * 5000, 'begins like'),
        ('[' * 30 + ']' * 30, 'lists within lists'),
        ('9' * 5000, 'is no number that can be used'),
        ('[1, ' + '9' * 5000 + ']', 'is no number'),
        (str(2**63), 'is no number'),
        ('1e999', 'is no number'),
        ('[-1e999]', 'is no number'),
    ],
)
def test_what_cannot_be_read_names_the_key(text, words, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', f'a.b={text}'])
    message = capsys.readouterr().err
    assert 'argument --cfg-options: a.b: ' in message
    assert words in message
    assert 'write it into a config file' in message
    assert len(message) < 400


@pytest.mark.parametrize('option', ['load_from', '=3', 'a..b=1', '.a=1', 'a.=1'])
def test_option_without_key_or_value(option, capsys):
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(['--cfg-options', option])
    assert f'{option!r} is not KEY=VALUE' in capsys.readouterr().err


def test_options_can_be_given_twice():
    parser = argparse.ArgumentParser()
    add_cfg_options(parser)
    args = parser.parse_args(['--cfg-options', 'a=1', 'b.c=x=y', '--cfg-options', 'a=2'])
    assert args.cfg_options == {'a': 2, 'b.c': 'x=y'}
    assert parser.parse_args([]).cfg_options == {}


@pytest.fixture
def cfg():
    dataset = dict(type='A', data_root='data/x/', ann_file='a.json', pipeline=[dict(type='B')])
    return Config(
        dict(
            data_root='data/x/',
            scale=7,
            model=dict(
                type='M', depth=50, ratio=0.5, frozen=True, norm='BN', sizes=[1, 2], head=None
            ),
            env_cfg=dict(cudnn_benchmark=False),
            train_dataloader=dict(batch_size=4, dataset=dataset),
            test_evaluator=dict(type='E', ann_file='data/x/b.json'),
            param_scheduler=[dict(type='S', milestones=[3])],
            load_from=None,
        )
    )


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('model.depth', 18),
        ('model.depth', None),
        ('model.ratio', 1),
        ('model.frozen', 0),
        ('model.norm', 'GN'),
        ('model.sizes', (3,)),
        ('model.sizes', None),
        ('model.head', dict(type='H')),
        ('model.new', 'x'),
        ('param_scheduler', dict(type='T')),
        ('param_scheduler.0.milestones', [1]),
        ('test_evaluator', [dict(type='F')]),
        ('load_from', 'a b.pth'),
        ('work_dir', 'runs'),
    ],
)
def test_values_that_fit(cfg, key, value, capsys):
    apply_options(cfg, {key: value})
    found = cfg
    for part in key.split('.'):
        found = found[int(part)] if part.isdecimal() else found[part]
    assert found == value or value.items() <= found.items()
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize(
    ('key', 'value', 'words'),
    [
        ('model.depth', 'four', "model.depth: is 50 now, which 'four' cannot replace"),
        ('model.depth', float('inf'), 'is 50 now, which inf cannot'),
        ('model.depth', True, 'is 50 now, which True cannot'),
        ('model.depth', dict(a=1), 'is 50 now, which a section with a cannot'),
        ('model.ratio', 'half', "is 0.5 now, which 'half' cannot"),
        ('model.frozen', 'no', "is True now, which 'no' cannot"),
        ('model.sizes', 3, 'is [1, 2] now, which 3 cannot'),
        ('model.type', 3, "is 'M' now, which 3 cannot"),
        ('model', 3, 'is a section of type M now, which 3 cannot'),
        ('train_dataloader', [1], 'is a section with batch_size, dataset now, which [1] cannot'),
        ('train_dataloader.batch_size', 0, 'is 4 now, which 0 cannot replace: must be a whole'),
        ('train_dataloader.batch_size', 2.5, 'must be a whole number of at least 1'),
        ('model.depth.x', 1, 'model.depth is 50, which has no x'),
        ('model.sizes.7', 1, 'model.sizes is a list of 2, and 7 no place in it (0 to 1)'),
        ('model.sizes.-1', 1, 'and -1 no place in it'),
        ('param_scheduler.x.gamma', 1, 'and x no place in it'),
        ('modle.depth', 1, 'no such key; did you mean model'),
    ],
)
def test_values_that_do_not_fit(cfg, key, value, words):
    with pytest.raises(UserError, match=f'^--cfg-options {key}') as error:
        apply_options(cfg, {key: value})
    assert words in str(error.value)


def test_what_was_used_already_is_told_where_it_is_used(cfg):
    with pytest.raises(UserError) as error:
        apply_options(cfg, dict(data_root='elsewhere/'))
    assert str(error.value).startswith('--cfg-options data_root: nothing reads data_root any more')
    assert (
        'its value stands in test_evaluator.ann_file, train_dataloader.dataset.data_root: change'
        in str(error.value)
    )
    with pytest.raises(UserError, match=r'nothing reads scale any more: .*while it was read$'):
        apply_options(cfg, dict(scale=8))


def test_a_new_key_of_a_section_that_asks_for_single_ones_is_told(cfg, capsys):
    apply_options(cfg, {'env_cfg.cudnn_benchmrk': True})
    assert 'env_cfg.cudnn_benchmrk: the config has no such key' in capsys.readouterr().err
