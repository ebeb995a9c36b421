"""Figures of what a person sees of a results file."""

import json

import numpy as np
import pytest
from helpers import REPOSITORY
from pycocotools import mask as coco_mask
from tool import run_tool

SIZE = (12, 20)


def tube(left, right):
    mask = np.zeros(SIZE, np.uint8, order='F')
    mask[:, left:right] = 1
    rle = coco_mask.encode(mask)
    return [dict(size=rle['size'], counts=rle['counts'].decode())] * 2


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(REPOSITORY / 'tools/analysis'))
    names = [['a/0.jpg', 'a/1.jpg'], ['b/0.jpg', 'b/1.jpg']]
    videos = [
        dict(id=n, file_names=files, height=SIZE[0], width=SIZE[1], length=2)
        for n, files in enumerate(names, 1)
    ]
    objects = [(1, 1, (0, 8)), (1, 2, (10, 18)), (2, 1, (0, 8))]
    annotations = [
        dict(id=n, video_id=video, category_id=category, iscrowd=0, segmentations=tube(*span))
        | dict(bboxes=[[0, 0, 1, 1]] * 2, areas=[1] * 2, height=SIZE[0], width=SIZE[1], length=2)
        for n, (video, category, span) in enumerate(objects, 1)
    ]
    categories = [dict(id=1, name='disc'), dict(id=2, name='ring')]
    truth = dict(videos=videos, annotations=annotations, categories=categories)
    (tmp_path / 'val.json').write_text(json.dumps(truth))
    found = [
        (1, 1, 0.9, (0, 8)),
        (1, 2, 0.6, (0, 7)),  # the same again
        (1, 2, 0.5, (10, 18)),
        (2, 2, 0.4, (0, 8)),  # of another class
        (2, 1, 0.1, (12, 20)),  # nothing
    ]
    results = [
        dict(video_id=video, category_id=category, score=score, segmentations=tube(*span))
        for video, category, score, span in found
    ]
    (tmp_path / 'results.json').write_text(json.dumps(results))
    return tmp_path


def rows(capsys, *options):
    status = run_tool('analysis/drawn_tracks', 'results.json', '--ann', 'val.json', *options)
    assert status == 0
    table = capsys.readouterr().out.splitlines()[2:]
    return [[cell.strip() for cell in line.strip('|').split('|')] for line in table]


def test_figures(folder, capsys):
    every, distinct = rows(capsys)
    assert every[1:] == ['all', '4', '1', '1', '0', '3 of 3', '0 of 2']
    assert distinct[1:] == ['distinct', '3', '0', '0', '0', '3 of 3', '1 of 2']
    assert rows(capsys, '--score-thr', '0.05')[1][2:6] == ['4', '0', '0', '1']
    assert rows(capsys, '--score-thr', '0.55')[1][6:] == ['1 of 3', '0 of 2']


def test_one_half(folder, capsys):
    assert rows(capsys, '--videos', 'even')[1][6:] == ['2 of 2', '1 of 1']
    assert rows(capsys, '--videos', 'odd')[1][6:] == ['1 of 1', '0 of 1']
