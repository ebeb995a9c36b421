"""tools/analysis/evaluation_speed.py: every metric scores the data that it makes."""

import sys
from unittest import mock

from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import evaluation_speed as tool


def test_a_row_for_each_metric(capsys, monkeypatch):
    monkeypatch.setattr(tool, 'SIZE', (48, 72))
    arguments = ['evaluation_speed.py', '--videos', '1', '--frames', '2']
    with mock.patch('sys.argv', arguments):
        tool.main()
    header, _, *rows = capsys.readouterr().out.split('\n\n')[0].splitlines()
    assert header.startswith('| metric | videos | frames | CPU s | peak memory, MB |')
    cells = [[cell.strip() for cell in row.split('|')[1:-1]] for row in rows]
    assert [row[:3] for row in cells] == [[m, '1', '2'] for m in ('vpq', 'stq', 'vss')]
    for row in cells:
        assert 0.05 < float(row[3]) < 60
        assert 20 < float(row[4]) < 200  # more only if torch were imported


def test_one_seed_makes_one_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, 'SIZE', (48, 72))
    for name, seed in (('first', 1), ('again', 1), ('other', 2)):
        tool.make_data(tmp_path / name, 1, 2, seed)
    file = 'panoptic/pred/pan_pred/video_000/00001.png'
    first, again, other = ((tmp_path / n / file).read_bytes() for n in ('first', 'again', 'other'))
    assert first == again != other
    assert tool.measure('stq', tmp_path / 'first')[0] > 0
