import json
import runpy
import sys

import cv2
import pytest
from helpers import REPOSITORY

TOOL = REPOSITORY / 'tools/dataset_converters/make_shapes.py'


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        captured = capsys.readouterr()
        return exit_.value.code, captured.out + captured.err

    return _run


def test_every_flag_shows(run, tmp_path):
    out = tmp_path / 'set'
    size = ('--size', '32x48', '--length', 3, '--val', 1)
    status, text = run(
        '--out', out, *size, '--train', 2, '--difficulty', 'hard', '--seed', 9, '--stuff'
    )
    assert status == 0
    assert 'share of frames with full occlusion' in text
    stats = json.loads((out / 'stats.json').read_text())
    assert stats['arguments']['seed'] == 9
    assert stats['arguments']['options']['difficulty'] == 1.0
    assert stats['splits']['train']['videos'] == 2
    assert stats['splits']['val']['frames'] == 3
    frame = cv2.imread(str(out / 'train/JPEGImages/shapes_00001/00002.jpg'))
    assert frame.shape == (32, 48, 3)
    assert (out / 'val/class_maps/shapes_00000/00002.png').exists()
    before = (out / 'train.json').read_text()

    status, text = run('--out', out, *size, '--train', 1)
    assert status == 1
    assert 'made with other arguments' in text
    assert (out / 'train.json').read_text() == before
    status, _ = run('--out', out, *size, '--train', 1, '--overwrite')
    assert status == 0
    assert not (out / 'val/class_maps').exists()
    assert not (out / 'val_stuff.json').exists()


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (['--size', '8x64'], '--size 8: must be at least 16'),
        (['--length', '0'], '--length 0'),
        (['--train', '-1'], '--train -1'),
        (['--difficulty', 'insane'], 'easy, medium, hard'),
        (['--difficulty', '1.5'], 'a number 0..1'),
    ],
)
def test_bad_arguments(run, tmp_path, arguments, words):
    status, text = run('--out', tmp_path / 'set', *arguments)
    assert status == 1
    assert words in text
    assert not (tmp_path / 'set').exists()


def test_size_must_be_two_numbers(run, tmp_path):
    status, text = run('--out', tmp_path / 'set', '--size', 'big')
    assert status == 2
    assert 'HEIGHTxWIDTH' in text
