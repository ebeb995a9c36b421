import os
import re

import pytest
import torch
import toy
from mmengine.logging import print_log

from mmvseg.engine.device import use_device
from mmvseg.errors import UserError


def test_console_shows_the_iterations_and_the_file_everything(toy_config, tmp_path, capsys):
    toy.make_runner(toy_config, tmp_path, train_cfg__max_iters=2).train()
    shown = ''.join(capsys.readouterr())
    lines = [line for line in shown.splitlines() if line.strip()]
    assert len(lines) <= 4, shown
    assert 'Iter(train) [2/2]' in shown
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'Config:' in log
    assert 'Hooks will be executed' in log


def test_progress_hook_replaces_the_log(toy_config, tmp_path, capsys):
    hook = dict(type='ProgressHook', interval_s=0.0)
    runner = toy.make_runner(
        toy_config, tmp_path, validate=True, default_hooks__progress=hook, train_cfg__val_interval=4
    )
    runner.train()
    shown = capsys.readouterr()
    assert 'Iter(train)' not in shown.out + shown.err
    pattern = r'training: iteration (\d)/8, loss \d\.\d{3}, \d+\.\d\d s each, 0:00:0\d left'
    assert re.findall(pattern, shown.err) == list('12345678')
    assert 'validation after iteration 4: video_1 0.' in shown.err
    assert 'Iter(train)' in next(tmp_path.rglob('*.log')).read_text()


def test_log_and_console_are_escaped(toy_config, tmp_path, capsys):
    runner = toy.make_runner(toy_config, tmp_path)
    runner.logger.warning('classes: %s', '\x1b[31mred')
    print_log('video \x1b]0;title\x07', logger='current')
    assert r'classes: \x1b[31mred' in ''.join(capsys.readouterr())
    log = next(tmp_path.rglob('*.log')).read_text()
    assert r'classes: \x1b[31mred' in log
    assert r'video \x1b]0;title\x07' in log


def test_a_console_that_nobody_reads_any_more_is_left_alone(
    toy_config, tmp_path, monkeypatch, capsys
):
    reader, writer = os.pipe()
    os.close(reader)
    closed = open(writer, 'w')  # noqa: SIM115 - closing it fails, as what it holds has no reader
    monkeypatch.setattr('sys.stdout', closed)
    runner = toy.make_runner(toy_config, tmp_path)
    monkeypatch.undo()
    for word in ('first', 'second'):
        runner.logger.warning(word)
    assert 'Logging error' not in capsys.readouterr().err
    log = next(tmp_path.rglob('*.log')).read_text()
    assert 'first' in log
    assert 'second' in log
    with pytest.raises(BrokenPipeError):
        closed.close()


@pytest.mark.parametrize(
    ('name', 'message'), [('tpu', 'not a device'), ('meta', 'only cpu and cuda')]
)
def test_wrong_device(name, message):
    with pytest.raises(UserError, match=message):
        use_device(name)


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a GPU')
def test_absent_gpu():
    with pytest.raises(UserError, match=r'--device cuda: no usable GPU .*use --device cpu'):
        use_device('cuda')
    assert use_device() == 'cpu'
