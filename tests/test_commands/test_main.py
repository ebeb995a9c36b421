"""The command line as a whole: its table, its help, what it imports, what it says of mistakes."""

import json
import re
import subprocess
import sys
from unittest import mock

import pytest
from helpers import REPOSITORY
from tool import run_tool

import mmvseg
from mmvseg.commands import arguments, convert, main, shapes

HEAVY = {'torch', 'mmengine', 'mmdet', 'mmcv', 'numpy', 'cv2', 'av', 'rich'}
MODULES = 'import atexit, json, sys; atexit.register(lambda: print(json.dumps([*sys.modules])))\n'


def run(*argv, program='mmvseg'):
    """Exit status of a command line."""
    with mock.patch('sys.argv', [program, *map(str, argv)]), pytest.raises(SystemExit) as ended:
        main.main()
    return ended.value.code or 0


def test_help_lists_all_commands_with_a_line(capsys):
    assert run('--help') == 0
    shown = capsys.readouterr().out
    assert shown.startswith('usage: mmvseg COMMAND ...')
    words = {name.split()[0] for name in main.COMMANDS}
    assert all(f'\n  {word} ' in shown for word in words)
    assert max(map(len, shown.splitlines())) <= 80
    assert run() == 0
    assert capsys.readouterr().out == shown


def test_help_of_a_group_lists_its_parts(capsys):
    for group in main.GROUPS:
        assert run(group, '--help') == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f'usage: mmvseg {group} COMMAND ...')
        parts = [name for name in main.COMMANDS if name.startswith(f'{group} ')]
        assert [
            line.split()[1] for line in shown.splitlines() if line.startswith(f'  {group} ')
        ] == [part.split()[1] for part in parts]
        assert max(map(len, shown.splitlines())) <= 80
        assert run(group) == 0
        assert capsys.readouterr().out == shown
        assert run(group, 'imprt') == 2
        assert 'did you mean data import or data export?\n' in capsys.readouterr().err


def test_help_of_each_command_names_what_was_typed(capsys):
    for name in main.COMMANDS:
        assert run(*name.split(), '--help') == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f'usage: mmvseg {name} ')
        assert 'tools/' not in shown.replace('tools/dist_train.sh', '')
    run('train', '--help', program='/somewhere/mmvseg/__main__.py')
    assert capsys.readouterr().out.startswith('usage: python -m mmvseg train ')
    with mock.patch('sys.argv', ['tools/demo_video.py', '-h']), pytest.raises(SystemExit):
        main.run_tool('predict')
    assert capsys.readouterr().out.startswith('usage: tools/demo_video.py ')


def test_every_command_is_documented():
    text = (REPOSITORY / 'docs/commands.md').read_text()
    assert re.findall(r'^\| `([\w ]+)` \|', text, re.MULTILINE) == [*main.COMMANDS]


def test_version(capsys):
    assert run('--version') == 0
    assert capsys.readouterr().out == f'mmvseg {mmvseg.__version__}\n'


def test_help_imports_nothing_heavy():
    code = f"""{MODULES}
from unittest import mock
from mmvseg.commands import main
for name in ['--help', *main.COMMANDS]:
    try:
        with mock.patch('sys.argv', ['mmvseg', *name.split(), '--help']):
            main.main()
    except SystemExit:
        pass
"""
    ended = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    names = {name.split('.')[0] for name in json.loads(ended.stdout.splitlines()[-1])}
    assert ended.stdout.count('usage: ') == 1 + len(main.COMMANDS)
    assert 'mmvseg' in names
    assert not names & HEAVY


def test_what_needs_no_model_never_imports_torch(tmp_path):
    videos = [dict(id=1, file_names=['a/0.jpg'], width=8, height=8, length=1)]
    mask = dict(size=[8, 8], counts=[0, 64])
    object_ = dict(id=1, video_id=1, category_id=1, segmentations=[mask])
    truth = dict(videos=videos, categories=[dict(id=1, name='cat')], annotations=[object_])
    (tmp_path / 'truth.json').write_text(json.dumps(truth))
    found = dict(video_id=1, category_id=1, score=0.5, segmentations=[None])
    (tmp_path / 'results.json').write_text(json.dumps([found]))
    commands = [
        ('check', tmp_path / 'truth.json', '--no-frames'),
        ('evaluate', 'ytvis', tmp_path / 'truth.json', tmp_path / 'results.json'),
        ('evaluate', 'hota', tmp_path / 'truth.json', tmp_path / 'results.json'),
        ('analyze', tmp_path / 'truth.json', tmp_path / 'results.json'),
        ('data', 'stats', tmp_path / 'truth.json'),
        ('data', 'browse', tmp_path / 'truth.json', '--out', tmp_path / 'page'),
        ('data', 'subset', tmp_path / 'truth.json', '--out', tmp_path / 'subset.json'),
        ('data', 'remap', tmp_path / 'truth.json', '--map=cat=a', '--out', tmp_path / 'new.json'),
        ('models', 'ovis'),
    ]
    code = """
import json, sys
from unittest import mock
from mmvseg.commands.main import main
for argv in json.loads(sys.argv[1]):
    try:
        with mock.patch('sys.argv', ['mmvseg', *argv]):
            main()
    except SystemExit as ended:
        assert not ended.code, argv
    found = {'torch', 'mmengine', 'mmdet'} & sys.modules.keys()
    assert not found, (argv, found)
"""
    written = json.dumps([[*map(str, argv)] for argv in commands])
    ended = subprocess.run([sys.executable, '-c', code, written], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def test_unknown_command_names_the_closest(capsys):
    assert run('predit', 'street.mp4') == 2
    assert "there is no command 'predit'; did you mean predict?" in capsys.readouterr().err
    assert run('xyz') == 2
    assert "there is no command 'xyz'; see mmvseg --help" in capsys.readouterr().err


def test_arguments_in_messages_cannot_steer_the_terminal(capsys):
    assert run('\x1b[31m') == 2
    assert run('config', 'a', '\x1b[31m') == 2
    assert run('train', '\udcff', '--amp', '\x1b[31m') == 2
    assert run_tool('demo_video', 'a', 'b', 'c', '--fps', '\x1b]0;title\x07') == 2
    shown = capsys.readouterr().err
    assert '\x1b' not in shown
    assert '\x07' not in shown
    assert shown.count('\\x1b') == 4


def test_options_that_do_not_go_together_are_a_mistake_of_usage(capsys):
    assert run('evaluate', 'ytvis', 'a', 'b', '--split', 'val') == 2
    assert 'usage: mmvseg evaluate ' in capsys.readouterr().err


def test_errors_of_users_are_one_line(tmp_path, capsys):
    assert run('config', tmp_path / 'absent.py') == 1
    error = capsys.readouterr().err
    assert error.startswith('error: ')
    assert error.count('\n') == 1


def test_ctrl_c_while_a_command_starts(monkeypatch, capsys):
    monkeypatch.setattr('mmvseg.commands.config.run', mock.Mock(side_effect=KeyboardInterrupt))
    assert run('config', 'a') == 130
    assert capsys.readouterr().err == 'interrupted\n'


def test_what_help_says_is_what_the_parts_say():
    """The commands repeat these, as the parts need torch or OpenCV."""
    from mmvseg.checkpoints.files import WRITTEN_SUFFIXES
    from mmvseg.checkpoints.published.layouts import SOURCES
    from mmvseg.datasets.shapes import LAYOUTS, ShapesOptions, ShapesRequest
    from mmvseg.engine.distributed import _RANK_VARIABLES
    from mmvseg.media import DEFAULT_FPS

    options, request = ShapesOptions(), ShapesRequest()
    assert (options.height, options.width) == shapes.SIZE
    assert options.length == shapes.LENGTH
    assert (request.train, request.val, request.seed) == (shapes.TRAIN, shapes.VAL, 0)
    assert tuple(sorted(LAYOUTS)) == shapes.LAYOUTS
    assert tuple(SOURCES) == convert.SOURCES
    assert ('none', *_RANK_VARIABLES) == arguments.LAUNCHERS
    assert arguments.DEFAULT_FPS == DEFAULT_FPS
    assert WRITTEN_SUFFIXES == ('.pth', '.safetensors')
