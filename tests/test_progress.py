import io

import pytest

from mmvseg import progress as progress_module
from mmvseg.progress import ProgressReport, RecentRate


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_log_files_get_few_lines(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: clock[0])
    with ProgressReport('segmenting', total=30) as progress:
        for _ in range(30):
            clock[0] += 1
            progress.advance()
    assert capsys.readouterr().err.splitlines() == [
        'segmenting: 10/30 frames in 10 s, about 20 s left',
        'segmenting: 20/30 frames in 20 s, about 10 s left',
        'segmenting: 30/30 frames in 30 s',
    ]


def test_unknown_total(capsys):
    with ProgressReport('reading', unit='files') as progress:
        progress.advance(3)
    assert capsys.readouterr().err == 'reading: 3 files in 0 s\n'


def test_terminals_get_a_bar(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr('sys.stderr', terminal)
    with ProgressReport('drawing', total=4) as progress:
        progress.advance(4)
    assert 'drawing' in terminal.getvalue()
    assert '4/4' in terminal.getvalue()


def test_remaining_time_follows_the_recent_rate(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: clock[0])
    with ProgressReport('segmenting', total=200) as progress:
        for step in range(100):
            clock[0] += 10 if step < 10 else 1  # the first steps took long
            progress.advance()
    lines = capsys.readouterr().err.splitlines()
    assert lines[-2] == 'segmenting: 90/200 frames in 180 s, about 110 s left'


def test_recent_rate():
    rate = RecentRate(5, 0.0)
    assert rate.update(5, 1.0) == 0
    assert rate.update(7, 4.0) == 2.0
    for second in range(5, 1000):
        recent = rate.update(second, float(second))
    assert recent == pytest.approx(1.0)
    assert rate.update(1000, 2000.0) > 10  # an iteration that takes longer than the window


def test_a_continued_download_shows_its_own_rate(monkeypatch, capsys):
    clock = [0.0]
    monkeypatch.setattr(progress_module.time, 'monotonic', lambda: clock[0])
    with ProgressReport('downloading', 100, 'MB', done=40, rate=True) as progress:
        for _ in range(30):
            clock[0] += 1
            progress.advance(2)
    assert capsys.readouterr().err.splitlines() == [
        'downloading: 60/100 MB in 10 s, 2.0 MB/s, about 20 s left',
        'downloading: 80/100 MB in 20 s, 2.0 MB/s, about 10 s left',
        'downloading: 100/100 MB in 30 s, 2.0 MB/s',
    ]


def test_the_bar_shows_the_rate_where_it_is_asked_for(monkeypatch):
    for rate in (True, False):
        terminal = Terminal()
        monkeypatch.setattr('sys.stderr', terminal)
        with ProgressReport('downloading', 100, 'MB', done=40, rate=rate) as progress:
            for _ in range(3):
                progress.advance(20)
                progress_module.time.sleep(0.02)
        assert '100/100' in terminal.getvalue()
        assert ('MB/s' in terminal.getvalue()) == rate
