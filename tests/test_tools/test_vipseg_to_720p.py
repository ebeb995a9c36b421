import json
import runpy
import sys

import pytest
from helpers import REPOSITORY
from PIL import Image

from mmvseg.datasets.shapes import ShapesOptions, ShapesRequest, write_shapes
from mmvseg.formats.dataset_checker import check_dataset

TOOL = REPOSITORY / 'tools/dataset_converters/vipseg_to_720p.py'


@pytest.fixture
def run(monkeypatch, capsys):
    def _run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, 'argv', [str(TOOL), *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            runpy.run_path(str(TOOL), run_name='__main__')
        captured = capsys.readouterr()
        return exit_.value.code, captured.out + captured.err

    return _run


@pytest.fixture(scope='module')
def release(tmp_path_factory):
    out = tmp_path_factory.mktemp('vipseg') / 'set'
    options = ShapesOptions(height=32, width=45, length=3)
    write_shapes(out, ShapesRequest(options, train=1, val=2, layout='vipseg'))
    return out


def test_several_processes_write_what_one_does(run, release, tmp_path):
    one, two = tmp_path / 'one', tmp_path / 'two'
    for out, jobs in ((one, 1), (two, 2)):
        status, text = run(release, out, '--size', 20, '--jobs', jobs)
        assert status == 0
        assert 'resizing: 9/9 frames in ' in text
        assert f'{out}: panoptic_gt_VIPSeg_train.json, panoptic_gt_VIPSeg_val.json, ' in text
        assert ' frames/s)' in text
    files = [path.relative_to(one) for path in one.rglob('*') if path.is_file()]
    assert len(files) == 9 + 9 + 2 + 1
    assert all((one / name).read_bytes() == (two / name).read_bytes() for name in files)
    assert list(check_dataset(one / 'panoptic_gt_VIPSeg_val.json', one / 'images')) == []


def test_size(run, release, tmp_path):
    out = tmp_path / 'out'
    assert run(release, out, '--jobs', 1)[0] == 0
    content = json.loads((out / 'panoptic_gt_VIPSeg_train.json').read_text())
    assert content['videos'][0]['images'][0]['width'] == int(720 * 45 / 32)
    assert Image.open(next(out.glob('images/*/*.jpg'))).size == (1012, 720)
    status, text = run(release, out, '--size', 20, '--jobs', 1)
    assert status == 1
    assert 'was made with' in text


@pytest.mark.parametrize('flag', ['--size', '--jobs'])
def test_bad_arguments(run, release, tmp_path, flag):
    status, text = run(release, tmp_path / 'out', flag, 0)
    assert status == 1
    assert f'{flag} 0: must be at least 1' in text
    assert not (tmp_path / 'out').exists()


def test_no_release(run, tmp_path):
    status, text = run(tmp_path, tmp_path / 'out')
    assert status == 1
    assert 'error: ' in text
    assert 'no VIPSeg release' in text
