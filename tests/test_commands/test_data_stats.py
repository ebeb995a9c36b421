"""``mmvseg data stats``: tables, and the same numbers as json."""

import json
from unittest import mock

import pytest
from track_scenes import content, entries

from mmvseg.commands import main


@pytest.fixture
def run(capsys):
    def run(*arguments):
        argv = ['mmvseg', 'data', 'stats', *map(str, arguments)]
        with mock.patch('sys.argv', argv), pytest.raises(SystemExit) as ended:
            main.main()
        output = capsys.readouterr()
        return ended.value.code or 0, output.out, output.err

    return run


@pytest.fixture
def ann(tmp_path):
    levels = ['no_occlusion', 'no_occlusion', 'severe_occlusion', None]
    made = content(
        [
            *entries(['aa.a'], occlusion=levels),
            *entries(['bbb.'], category_id=2),
            *entries(['cc'], category_id=2, video_id=2, iscrowd=1),
            *entries(['0.'], category_id=2, video_id=2),
        ],
        [4, 2, 3],
        num_categories=3,
    )
    made['categories'][2]['name'] = '\x1b[31mred'
    (tmp_path / 'ann.json').write_text(json.dumps(made))
    return tmp_path / 'ann.json'


def test_tables(run, ann):
    status, out, err = run(ann)
    assert (status, err) == (0, '')
    rows = [
        [cell.strip() for cell in line.strip('|').split('|')]
        for line in out.splitlines()
        if line.startswith('|')
    ]
    for row in (
        ['videos', '3'],
        ['without objects', '1'],
        ['frames', '9'],
        ['objects', '4'],
        ['crowds among them', '1'],
        ['never seen', '1'],
        ['with gaps', '1'],
        ['masks', '8'],
        ['class_1', '1', '1', '3', '3'],
        ['class_2', '3', '2', '5', '5'],
        [r'\x1b[31mred', '0', '0', '0', '0'],
        ['frames of a video', '2', '2.2', '3', '3.8', '4', '3'],
        ['most of them in one frame', '0', '0.2', '1', '1.8', '2', '1'],
        ['area of an object (pixels)', *'888888'],
        ['frames of a gap', *'111111'],
        ['1 x 64', '3'],
        ['no_occlusion', '2', '100.0'],
    ):
        assert row in rows
    assert [row[0] for row in rows[10:13]] == ['class_2', 'class_1', r'\x1b[31mred']


def test_json(run, ann, tmp_path):
    assert run(ann, '--json', tmp_path / 'new/stats.json')[0] == 0
    numbers = json.loads((tmp_path / 'new/stats.json').read_text())
    assert numbers['objects'][0] == dict(
        id=1,
        video_id=1,
        category_id=1,
        is_crowd=False,
        num_frames=3,
        first=0,
        last=3,
        gaps=[[2, 2]],
        mean_area=8,
        area_share=0.125,
        occlusion=dict(no_occlusion=2),
    )
    assert [video['most_objects'] for video in numbers['videos']] == [2, 1, 0]
    assert numbers['num_masks'] == 8
    status, _, err = run(ann, '--json', ann)
    assert status == 1
    assert 'is an input of this run' in err


def test_without_annotations(run, tmp_path):
    (tmp_path / 'valid.json').write_text(json.dumps(content([], [4, 2]) | dict(annotations=None)))
    status, out, _ = run(tmp_path / 'valid.json')
    assert status == 0
    assert '| frames of a video ' in out
    assert 'area of' not in out
    assert 'occlusion' not in out


def test_many_sizes_of_frames(run, tmp_path):
    made = content([], [1] * 14)
    for v, video in enumerate(made['videos']):
        video['width'] = 10 + min(v, 11)
    (tmp_path / 'valid.json').write_text(json.dumps(made))
    _, out, _ = run(tmp_path / 'valid.json')
    assert '| 1 x 21         | 3      |' in out
    assert '| 2 others       | 2      |' in out
