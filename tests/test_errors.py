import io
import os
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmvseg.errors import UserError, command_line, counted, one_line, printable, say


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('\x1b[31mred\x1b]0;title\x07', r'\x1b[31mred\x1b]0;title\x07'),
        ('\x7f\x9b\x85\r\0', r'\x7f\x9b\x85\r\x00'),
        ('abc\u202egnp\u2066', r'abc\u202egnp\u2066'),
        ('\udcff', r'\udcff'),
        ('Straße, 街道, 🚗\n\tsecond line \\x1b', 'Straße, 街道, 🚗\n\tsecond line \\x1b'),
        (UserError('a\x1b: b'), r'a\x1b: b'),
    ],
)
def test_what_steers_a_terminal_is_escaped(text, shown):
    assert printable(text) == shown


@given(st.text(st.characters(codec=None)))
def test_every_text_can_be_printed_and_is_escaped_once(text):
    shown = printable(text)
    shown.encode()
    assert printable(shown) == shown
    assert not {chr(i) for i in range(0xA0) if not chr(i).isprintable()} & set(shown) - {*'\n\t'}


def test_errors_of_the_command_line(capsys):
    @command_line
    def main():
        raise UserError('video \x1b[31mred: gone')

    with pytest.raises(SystemExit):
        main()
    assert capsys.readouterr().err == 'error: video \\x1b[31mred: gone\n'


def test_what_is_said_is_escaped(capsys):
    say('a \x1b[31mred\nb\u202e')
    say('\x07', sys.stderr)
    assert capsys.readouterr() == ('a \\x1b[31mred\nb\\u202e\n', '\\x07\n')


def test_what_an_encoding_lacks_is_escaped():
    file = io.TextIOWrapper(io.BytesIO(), 'latin-1')
    say('Straße 街…', file, flush=True)
    assert file.buffer.getvalue() == 'Straße \\u8857\\u2026\n'.encode('latin-1')


@pytest.mark.skipif(not os.path.exists('/dev/full'), reason='of Linux')
@pytest.mark.parametrize('length', [1, 100_000])
def test_output_that_cannot_be_written(capsys, monkeypatch, length):
    @command_line
    def main():
        say('x' * length)

    with open('/dev/full', 'w') as full, suppress(OSError):
        monkeypatch.setattr(sys, 'stdout', full)
        with pytest.raises(SystemExit) as stop:
            main()
        sys.stdout.close()
        monkeypatch.undo()
        full.close()
    assert stop.value.code == 1
    assert capsys.readouterr().err.startswith('error: the output cannot be written (No space')


@pytest.mark.parametrize(
    ('ending', 'err'),
    [
        ('say("end")', ''),
        ('raise UserError("no such file")', 'error: no such file\n'),
        ('sys.exit(0)', ''),
    ],
)
@pytest.mark.parametrize('flush', [False, True])
def test_output_that_nobody_reads_any_more_ends_a_tool_quietly(ending, err, flush):
    code = f"""if True:
        import os, sys
        from mmvseg.errors import UserError, command_line, say
        @command_line
        def main():
            say('begin', flush={flush})
            {ending}
        main()
    """
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {**os.environ, 'PYTHONUNBUFFERED': ''}
    command = [sys.executable, '-c', code]
    ended = subprocess.run(command, env=buffered, stdout=writer, stderr=subprocess.PIPE, text=True)
    os.close(writer)
    assert ended.returncode == 141
    assert ended.stderr == ('' if flush else err)


def test_a_tool_without_an_output_runs():
    code = 'from mmvseg.errors import command_line, say\ncommand_line(lambda: say("x"))()'
    command = ['sh', '-c', 'exec "$0" -c "$1" >&-', sys.executable, code]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, '')


@pytest.mark.parametrize(
    ('things', 'one'),
    [('tracks', '1 track'), ('entries', '1 entry'), ('classes', '1 class'), ('files', '1 file')],
)
def test_one_thing_is_no_plural(things, one):
    assert counted(1, things) == one
    assert [counted(number, things) for number in (0, 2)] == [f'0 {things}', f'2 {things}']


def test_a_name_stays_on_its_line():
    assert one_line('a\nb\tc\x1b') == r'a\nb\tc\x1b'


@pytest.mark.parametrize('wrapped', [False, True])
def test_ctrl_c_is_one_line(capsys, wrapped):
    @command_line
    def main():
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            if wrapped:
                raise SyntaxError('cannot be formatted')  # noqa: B904 - as mmengine does
            raise

    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_other_syntax_errors_stay():
    @command_line
    def main():
        raise SyntaxError('cannot be read')

    with pytest.raises(SyntaxError):
        main()
