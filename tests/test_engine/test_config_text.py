"""Configs out of checkpoints: all of ours come back as they were, and nothing in a text runs."""

import sys
from pathlib import Path

import pytest
from yapf.yapflib.yapf_api import FormatCode

from mmvseg.engine.config import load_config
from mmvseg.engine.config_text import config_of_text
from mmvseg.errors import UserError

CONFIGS = [
    path
    for path in sorted(Path('configs').glob('*/*.py'))
    if path.parent.name not in ('_base_', 'queryinst', 'mask2former', 'eomt')
]
DATA = (
    "test_dataloader = dict(dataset=dict(type='VSPWDataset', pipeline=[dict(type='LoadClip')]))\n"
)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_configs_come_back(path, monkeypatch):
    if path.parent.name == 'shapes':  # as outside of tests
        monkeypatch.setattr('mmengine.config.config.FormatCode', FormatCode)
    config = load_config(path)
    found = config_of_text(config.pretty_text, 'a.pth')
    for key in ('model', 'test_dataloader', 'test_cfg'):
        assert found[key] == config[key]
    assert 'train_dataloader' not in found


def test_plain_values():
    text = (
        "model = dict(type='MinVIS', a=[1, -2.5, (3,), None, True, inf], b={'x-y': 1, 2: 'z'},\n"
        "             c=dict({'p.q': dict(r=1)}, s=-inf))\n"
    )
    model = config_of_text(text + DATA, 'a.pth').model
    assert model.a == [1, -2.5, (3,), None, True, float('inf')]
    assert model.b == {'x-y': 1, 2: 'z'}
    assert model.c == {'p.q': {'r': 1}, 's': -float('inf')}


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('model = dict(type=print(1))', r'is no plain data \(line 1: print\(1\)\) and is not run'),
        ('model = [x for x in ()]', r'line 1: \[x for'),
        ("model = dict(**{'a': 1})", 'is no plain data'),
        ('model = {**a}', 'is no plain data'),
        ("model = 'a' * 10", 'is no plain data'),
        ("model = f'{1}'", 'is no plain data'),
        ('model = b"x"', 'is no plain data'),
        ('model = other', 'is no plain data'),
        ('model = dict(', r'cannot be read \(SyntaxError\)'),
        ('model = ' + '[' * 900 + ']' * 900, 'cannot be read'),
        ('model = ' + '-' * 9000 + '1', 'cannot be read|is no plain data'),
        ('x = 1' + ' ' * 2_000_001, 'is no plain data'),
        (
            "model = dict(type='os.system', command='true')",
            r"model\.type is 'os\.system', which",
        ),
        ("model = dict(type='mmengine.load', file='a')", r"model\.type is 'mmengine\.load'"),
        (
            "model = dict(type='KnowledgeDistillationSingleStageDetector', teacher_ckpt='a.pth')",
            r"type is 'KnowledgeDistillationSingleStageDetector', which is not known here",
        ),
        ("model = dict(type='antigravity')", r"type is 'antigravity', which is not known here"),
        ("model = dict(type='antigravity.MinVIS')", r"type is 'antigravity\.MinVIS'"),
        ("model = dict(a=[dict(type='antigravity')])", r'model\.a\.0\.type is'),
        ("model = dict(type=['MinVIS'])", r"type is \['MinVIS'\], which is not known"),
        ("model = dict(type='MinVIS', _scope_='antigravity')", r"names the package 'antigravity'"),
        ('x = 1', r"'model'|model"),
    ],
)
def test_what_is_refused(text, message):
    before = set(sys.modules)
    with pytest.raises(UserError, match=message) as caught:
        config_of_text(text + '\n' + DATA, 'a.pth')
    assert '\n' not in str(caught.value)
    assert 'antigravity' not in set(sys.modules) - before
