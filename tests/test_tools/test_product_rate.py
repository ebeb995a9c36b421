"""tools/analysis/product_rate.py: rates of the products that are asked for."""

import re
import sys
from unittest import mock

import pytest
import torch
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure
import product_rate as tool


def run(*args):
    with mock.patch('sys.argv', ['product_rate.py', *args]), pytest.raises(SystemExit) as stop:
        tool.main()
    return stop.value.code


def test_rates_are_operations_over_time(monkeypatch, capsys):
    seconds = iter([4.0, 1.0, 2.0] * 2)

    class Elapsed:
        def __enter__(self):
            self.wall_s = next(seconds)
            self.cpu_s = 2 * self.wall_s
            return self

        def __exit__(self, *error):
            pass

    monkeypatch.setattr(measure, 'elapsed', Elapsed)
    shapes, linear = [], torch.nn.functional.linear

    def watched(x, weight):
        shapes.append((x.shape, weight.shape))
        return linear(x, weight)

    monkeypatch.setattr(torch.nn.functional, 'linear', watched)
    threads = torch.get_num_threads()
    assert run('1000x500x400', '200x500x1000', '--threads', '1', '--repeats', '3') == 0
    assert torch.get_num_threads() == 1
    torch.set_num_threads(threads)
    text = capsys.readouterr().out
    assert re.search(r'1000x500x400 \| 0.4 +\| 0.2 +\| 0.2 +\| 0.1', text)
    assert re.search(r'200x500x1000 \| 0.2 +\| 0.1 +\| 0.1 +\| 0.1', text)
    assert shapes == [((1000, 500), (400, 500))] * 4 + [((200, 500), (1000, 500))] * 4


@pytest.mark.parametrize(
    ('args', 'said'),
    [
        (['5x4'], 'is not MxKxN'),
        (['5x4x0'], 'at least 1'),
        (['5x4x3', '--repeats', '0'], 'at least 1'),
    ],
)
def test_user_errors(args, said, capsys):
    assert run(*args) == 2
    assert said in capsys.readouterr().err
