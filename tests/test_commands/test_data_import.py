"""mmvseg data import: what it says."""

from unittest import mock

import numpy as np
import pytest

from mmvseg.apis import import_labels
from mmvseg.commands import data_import, main
from mmvseg.engine.config import load_config
from mmvseg.media.images import write_image

SIZE = 6, 8


@pytest.fixture
def labels(tmp_path):
    """Id masks of two videos of two frames, an object each."""
    root = tmp_path / 'labels'
    for video in 'ab':
        for frame in range(2):
            for kind in ('images', 'masks'):
                (root / kind / video).mkdir(parents=True, exist_ok=True)
            write_image(root / f'images/{video}/{frame}.png', np.zeros((*SIZE, 3), np.uint8))
            write_image(root / f'masks/{video}/{frame}.png', np.eye(*SIZE, dtype=np.uint8))
    (root / 'classes.csv').write_text('video,id,class\n,1,car\n')
    return root


def run(capsys, *args):
    argv = ['mmvseg', 'data', 'import', *map(str, args)]
    with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
        main.main()
    output = capsys.readouterr()
    return ended.value.code or 0, output.out.splitlines(), output.err


def test_what_is_said(labels, capsys, tmp_path):
    out = tmp_path / 'my set'
    status, said, _ = run(capsys, labels, '--out', out)
    assert not status
    assert said == [
        f'{labels}: masks (Id masks: grey or palette PNGs whose values are objects, with a table '
        'of their classes)',
        f'{out}: 2 videos, 4 frames, 2 objects of 1 class',
        '  car: 2',
        f"next: mmvseg check '{out}/annotations.json' '{out}/frames'",
        f"      mmvseg data browse '{out}/annotations.json' --root '{out}/frames' "
        f"--out '{out}/page'",
        f"      mmvseg train '{out}/config.py'",
        'note: AP will be of the videos that are trained on, and says nothing about new ones; to '
        'hold some back, import with --val 0.1 --overwrite',
        'note: the config trains on a GPU, from published weights; to try it on a CPU, import with '
        '--model minvis_shapes_quickstart --overwrite',
    ]


def test_the_advised_import_needs_no_note(labels, capsys, tmp_path):
    out = tmp_path / 'out'
    advised = '--model', data_import.CPU_MODEL, '--overwrite'
    _, said, _ = run(capsys, labels, '--out', out, '--val', '0.5', *advised)
    assert said[-1] == f'      mmvseg train {out}/config.py'
    assert not [line for line in said if line.startswith('note')]
    assert load_config(out / 'config.py').optim_wrapper.type != 'AmpOptimWrapper'


def test_labels_without_pictures_are_not_to_be_trained_on(labels, capsys, tmp_path):
    for path in (labels / 'images').rglob('*.png'):
        path.unlink()
    _, said, _ = run(capsys, labels, '--out', tmp_path / 'out')
    assert 'note: 4 frames without a picture; give them with --frames or --video to train' in said
    assert 'browse' in said[-1]


def test_the_list_of_what_was_left_out_is_of_this_import(labels, capsys, tmp_path):
    mask = labels / 'masks/a/0.png'
    whole = mask.read_bytes()
    mask.write_bytes(b'')
    out = tmp_path / 'out'
    _, said, _ = run(capsys, labels, '--out', out, '--skip-bad')
    assert f'listed in {out}/left_out.txt' in said
    assert 'masks/a/0.png' in (out / 'left_out.txt').read_text()
    mask.write_bytes(whole)
    run(capsys, labels, '--out', out, '--overwrite')
    assert not (out / 'left_out.txt').exists()


def test_an_interrupted_import_says_how_it_goes_on(labels, capsys, tmp_path, monkeypatch):
    place = import_labels.place_frames

    def interrupted(video, *args):
        if video.name == 'b':
            raise KeyboardInterrupt
        place(video, *args)

    monkeypatch.setattr(import_labels, 'place_frames', interrupted)
    status, _, error = run(capsys, labels, '--out', tmp_path / 'out')
    assert status == 130
    assert 'out: what is done is kept; the same command goes on\ninterrupted' in error
    monkeypatch.undo()
    assert not run(capsys, labels, '--out', tmp_path / 'out')[0]


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        ([], 'is empty; give the folder'),
        (['street.mp4'], 'videos without labels; give what the tool exported'),
        (['a/0.jpg', 'a/1.jpg'], 'pictures without labels'),
        (['x.txt', 'a/0.jpg'], 'of no known format (found a/0.jpg, x.txt)'),
    ],
)
def test_what_is_no_labels(tmp_path, capsys, files, message):
    for name in ('', *files):
        path = tmp_path / 'labels' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'') if name else path.mkdir()
    status, _, error = run(capsys, tmp_path / 'labels', '--out', tmp_path / 'out')
    assert status == 1
    assert f'{tmp_path}/labels: {message}' in error


def test_an_archive_that_is_none(tmp_path, capsys):
    (tmp_path / 'task.zip').write_bytes(b'half')
    status, _, error = run(capsys, tmp_path / 'task.zip', '--out', tmp_path / 'out')
    assert status == 1
    assert 'task.zip: no zip archive, or a damaged one' in error
