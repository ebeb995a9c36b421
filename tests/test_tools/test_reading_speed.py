"""tools/analysis/reading_speed.py: every reader reads the file that it makes."""

import sys
from unittest import mock

import pytest
from helpers import REPOSITORY

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import reading_speed as tool

from mmvseg.errors import UserError
from mmvseg.formats.youtube_vis import read_youtube_vis


def test_the_file_has_the_size_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(tool, 'MADE', 4)
    path, masks = tool.make_file(tmp_path, 50, 400)
    file = read_youtube_vis(path)
    assert len(file.videos) == 50
    assert sum(rle is not None for a in file.annotations for rle in a.rles) == masks
    assert 400 <= masks < 420


def test_each_reader_reads_it(tmp_path, capsys):
    path, _ = tool.make_file(tmp_path, 2, 20)
    for reader in tool.READERS:
        tool.read(reader, str(path))
    with pytest.raises(UserError, match='absent'):
        tool.read('training', str(tmp_path / 'absent'))


def test_a_row_for_each_reader(capsys, monkeypatch):
    monkeypatch.setattr(tool, 'READERS', ('evaluation', 'checker'))  # which start without torch
    with mock.patch('sys.argv', ['reading_speed.py', '--videos', '2', '--masks', '20']):
        tool.main()
    header, _, *rows = capsys.readouterr().out.split('\n\n')[0].splitlines()
    assert header.startswith('| reader')
    assert [row.split('|')[1].strip() for row in rows] == list(tool.READERS)
