import errno
import multiprocessing
import os
import signal
import threading

import pytest

from mmvseg import locks
from mmvseg.errors import UserError
from mmvseg.files import check_writable, whole_file
from mmvseg.locks import LOCK_FILE, folder_lock, turn


def in_other_process(function):
    """What a process that was forked now returns or raises."""
    reader, writer = multiprocessing.Pipe(duplex=False)

    def work():
        try:
            writer.send(function())
        except (UserError, OSError) as error:
            writer.send(error)

    process = multiprocessing.get_context('fork').Process(target=work)
    process.start()
    process.join(60)
    return reader.recv()


def take(folder):
    with folder_lock(folder, 'give another --out'):
        return 'taken'


def test_a_folder_is_for_one_run_at_a_time(tmp_path):
    folder = tmp_path / 'new' / 'out'
    with folder_lock(folder, 'give another --out'):
        refused = in_other_process(lambda: take(folder))
        assert isinstance(refused, UserError)
        assert str(refused).startswith(f'{folder}: another run writes there (process {os.getpid()}')
        assert str(refused).endswith('give another --out')
        assert '\n' not in str(refused)
    assert in_other_process(lambda: take(folder)) == 'taken'
    assert list(folder.iterdir()) == []


def test_a_killed_run_leaves_nothing_that_stops_the_next(tmp_path):
    ready, told = multiprocessing.Pipe(duplex=False)
    context = multiprocessing.get_context('fork')

    def work():
        with folder_lock(tmp_path, ''):
            told.send(True)
            signal.pause()

    process = context.Process(target=work)
    process.start()
    assert ready.recv()
    with pytest.raises(UserError, match='another run'):
        take(tmp_path)
    process.kill()
    process.join(60)
    assert (tmp_path / LOCK_FILE).exists()
    assert take(tmp_path) == 'taken'
    assert not (tmp_path / LOCK_FILE).exists()


def test_workers_that_outlive_the_run_do_not_hold_its_folder(tmp_path):
    context = multiprocessing.get_context('fork')
    with folder_lock(tmp_path, ''):
        worker = context.Process(target=signal.pause)
        worker.start()
    assert in_other_process(lambda: take(tmp_path)) == 'taken'
    worker.kill()
    worker.join(60)


@pytest.mark.parametrize('folder', ['file/out', 'file'])
def test_a_folder_that_cannot_be(tmp_path, folder):
    (tmp_path / 'file').touch()
    with pytest.raises(UserError, match=r'file.*cannot be written or read.*give another --out'):
        take(tmp_path / folder)


def test_two_runs_do_not_mix_a_file(tmp_path):
    path = tmp_path / 'out.pth'

    def write(text):
        with whole_file(path) as part:
            part.write_text(text)

    with whole_file(path) as part:
        part.write_text('first')
        refused = in_other_process(lambda: write('second'))
        assert refused.errno == errno.EBUSY
        assert 'another run' in str(in_other_process(lambda: check_writable(path)))
    assert path.read_text() == 'first'
    part.write_text('left by a killed run')
    write('third')
    assert path.read_text() == 'third'
    assert [p.name for p in tmp_path.iterdir()] == ['out.pth']


def test_file_systems_without_locks_are_said_once(tmp_path, monkeypatch, capsys):
    def no_locks(handle, operation):
        raise OSError(errno.ENOLCK, 'No locks available')

    monkeypatch.setattr(locks.fcntl, 'flock', no_locks)
    monkeypatch.setattr(locks, '_warned', [])
    for _ in range(2):
        assert take(tmp_path) == 'taken'
    assert capsys.readouterr().err.count('has no locks (No locks available)') == 1


def test_a_turn_comes_when_the_one_before_is_over(tmp_path):
    path, waited, order = tmp_path / 'lock', threading.Event(), []

    def second():
        with turn(path, waited.set):
            order.append('second')

    with turn(path, lambda: order.append('waited')):
        other = threading.Thread(target=second)
        other.start()
        assert waited.wait(30)
        order.append('first')
    other.join()
    assert order == ['first', 'second']
    assert not path.exists()


def test_a_turn_where_nothing_can_be_written(tmp_path):
    with pytest.raises(FileNotFoundError), turn(tmp_path / 'none/lock', list):
        pass
