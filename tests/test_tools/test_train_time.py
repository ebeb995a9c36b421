"""tools/analysis/train_time.py: every part of an iteration is counted, once."""

import sys
from unittest import mock

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import made_clips
import train_time as tool

from mmvseg.models.heads import tevit_roi_head

SHAPES = REPOSITORY / 'configs/shapes'


def test_time_within_another_part_counts_once(monkeypatch):
    now = iter([0.0, 1.0, 3.0, 7.0, 8.0, 20.0, 50.0])
    monkeypatch.setattr(tool.time, 'process_time', lambda: next(now))
    clock = tool.Clock('cpu')
    inner = clock.timed('matching', lambda value, more: value + more)
    with clock.part('losses'):
        assert inner(1, more=2) == 3
    with clock.part('step'):
        pass
    assert clock.seconds == dict(losses=1.0 + 4.0, matching=2.0, step=12.0)


@pytest.mark.parametrize('name', ['tevit_msgshift', 'minvis', 'dvis_online', 'videomt'])
def test_a_row_has_a_time_for_every_part(name, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(made_clips, 'LENGTH', 6)
    monkeypatch.setattr('gc.collect', lambda: 0)  # mmengine's, of all that the tests have made
    monkeypatch.setattr(tevit_roi_head, 'stage_targets', tevit_roi_head.stage_targets)  # restored
    monkeypatch.setattr(tool, 'in_fresh_process', lambda function, *args: function(*args))
    small = dict(size=(32, 64), videos=1)
    made = tool.made_dataset
    monkeypatch.setattr(tool, 'made_dataset', lambda cfg, folder: made(cfg, folder, **small))
    args = '--clips 1 --iterations 1 --device cpu --threads 1'
    config = str(SHAPES / f'{name}_shapes.py')
    monkeypatch.setattr('sys.argv', ['train_time.py', config, *args.split()])
    monkeypatch.setattr(tool.time, 'process_time', mock.Mock(side_effect=range(10_000)))
    with mock.patch.dict('os.environ'), pytest.raises(SystemExit) as stop:
        tool.main()
    assert stop.value.code == 0
    header, _, row = capsys.readouterr().out.strip().splitlines()[-3:]
    assert [cell.strip() for cell in header.split('|')[3:-1]] == [*tool.PARTS, 'sum']
    times = [float(cell) for cell in row.split('|')[3:-1]]
    assert all(time > 0 for time in times)
    assert sum(times[:-1]) == times[-1]
