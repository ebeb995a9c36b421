import errno
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.files import (
    check_writable,
    disk_errors,
    file_errors,
    file_hash,
    user_path,
    whole_file,
    write_bytes,
    write_json,
)


def test_writes_whole_files_and_leaves_nothing_else(tmp_path):
    path = tmp_path / 'new' / 'a.json'
    write_json(path, dict(a=1))
    write_json(path, dict(a=2))
    assert json.loads(path.read_text()) == dict(a=2)
    check_writable(path)
    check_writable(path.with_name('b.json'))
    assert [p.name for p in path.parent.iterdir()] == ['a.json']


@pytest.mark.parametrize('durable', [False, True])
def test_a_file_is_whole_or_as_it_was(tmp_path, durable):
    path = tmp_path / 'new' / 'a.txt'
    with whole_file(path, durable=durable) as part:
        part.write_text('first')
        assert not path.exists()
    assert path.read_text() == 'first'

    def break_off():
        with whole_file(path, durable=durable) as part:
            part.write_text('half')
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert path.read_text() == 'first'
    assert [p.name for p in path.parent.iterdir()] == ['a.txt']


def test_undefined_numbers_become_null(tmp_path):
    content = dict(a=float('nan'), b=[dict(c=float('nan')), np.float64('nan')], d=1.5)
    write_json(tmp_path / 'a.json', content)
    assert json.loads((tmp_path / 'a.json').read_text()) == dict(
        a=None, b=[dict(c=None), None], d=1.5
    )


def test_what_cannot_be_written_is_a_users_error(tmp_path):
    (tmp_path / 'file').write_text('kept')
    for path in (tmp_path / 'file/a', tmp_path):
        for write in (lambda path: write_bytes(path, b'1'), check_writable):
            with pytest.raises(UserError, match=f'{tmp_path}.*cannot be written|is a folder'):
                write(path)
    assert (tmp_path / 'file').read_text() == 'kept'
    with pytest.raises(UserError, match='absent: cannot be written or read'), file_errors(tmp_path):
        (tmp_path / 'absent').unlink()


def test_hash_of_a_file_in_pieces(tmp_path):
    path, content = tmp_path / 'a.bin', bytes(range(256)) * 20_000  # more than one piece
    path.write_bytes(content)
    read = []
    assert file_hash(path, read.append) == hashlib.sha256(content).hexdigest()
    assert read[-1] == len(content) > read[0]
    with pytest.raises(UserError, match=r'none\.bin'):
        file_hash(tmp_path / 'none.bin')


def test_a_run_is_not_to_blame_for_errors_that_have_a_message(tmp_path):
    def broken():
        try:
            raise OSError('no image')
        except OSError as error:
            raise UserError('a.png: not readable') from error

    with pytest.raises(UserError, match=r'^a\.png: not readable$'), disk_errors(tmp_path):
        broken()
    with pytest.raises(OSError, match='closed'), disk_errors(tmp_path):
        raise OSError('closed')
    with pytest.raises(UserError, match=f'{tmp_path}: .*No space'), disk_errors(tmp_path):
        raise OSError(errno.ENOSPC, 'No space left')


def test_only_the_home_folder_is_filled_in(monkeypatch):
    monkeypatch.setenv('HOME', '/home/a')
    assert user_path('~/b.pth') == Path('/home/a/b.pth')
    assert user_path('~.pth') == Path('~.pth')  # no user of this name
