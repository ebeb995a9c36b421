import json
import runpy
import sys

import pytest
from helpers import REPOSITORY

from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes

TOOL = REPOSITORY / 'tools/dataset_converters/check_dataset.py'


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        captured = capsys.readouterr()
        return exit_.value.code, captured.out + captured.err

    return _run


@pytest.fixture
def shapes(tmp_path):
    options = ShapesOptions(height=32, width=40, length=2)
    write_shapes(tmp_path / 'set', ShapesRequest(options, train=1, val=0))
    return tmp_path / 'set/train.json', tmp_path / 'set/train/JPEGImages'


def test_sound(run, shapes):
    status, text = run(*shapes)
    assert status == 0
    assert 'no problems' in text
    content = json.loads(shapes[0].read_text())
    content['annotations'] = None
    shapes[0].write_text(json.dumps(content))
    status, text = run(*shapes)
    assert status == 0
    assert 'it has no annotations' in text


def test_problems(run, shapes):
    content = json.loads(shapes[0].read_text())
    content['annotations'][0]['category_id'] = 99
    shapes[0].write_text(json.dumps(content))
    (shapes[1] / 'shapes_00000/00001.jpg').unlink()
    status, text = run(*shapes)
    assert status == 1
    assert 'video 1, annotation 1, category_id: unknown category 99' in text
    assert '00001.jpg: video 1, frame 1, frame: missing file' in text
    assert '2 problems: 1 in category_id, 1 in frame' in text
    status, text = run(shapes[0], '--no-frames')
    assert status == 1
    assert '1 problems: 1 in category_id' in text


def test_needs_a_root(run, shapes, tmp_path):
    status, text = run(shapes[0])
    assert status == 1
    assert '--no-frames' in text
    status, text = run(shapes[0], tmp_path / 'nowhere')
    assert status == 1
    assert 'no such folder' in text


def test_other_file(run, tmp_path):
    (tmp_path / 'x.json').write_text('{"images": []}')
    status, text = run(tmp_path / 'x.json', '--no-frames')
    assert status == 1
    assert "not a COCO instance file (no list 'annotations')" in text
