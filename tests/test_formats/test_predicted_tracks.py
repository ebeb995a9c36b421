"""The json of ``mmvseg predict``: what is read of it, and what is said of broken files."""

import json

import numpy as np
import pytest
from tiny_dataset import encode

from mmvseg.errors import UserError
from mmvseg.formats.predicted_tracks import read_predicted_tracks

MASK = np.zeros((6, 8), np.uint8)
MASK[1:4, 2:5] = 1


def entry(**changes):
    made = dict(video_id=1, category_id=5, score=0.9, segmentations=[encode(MASK), None, None])
    made |= dict(category='red', track_id=10, seconds=[0, 0.2, 0.4]) | changes
    return {key: value for key, value in made.items() if value is not None}


@pytest.fixture
def read(tmp_path):
    def _read(content):
        (tmp_path / 'tracks.json').write_text(json.dumps(content))
        return read_predicted_tracks(tmp_path / 'tracks.json')

    return _read


def test_tracks(read):
    first, second = read([entry(), entry(category='green', track_id=3, score=0.25)])
    assert (first.category, first.track_id, first.result.score) == ('red', 10, 0.9)
    assert first.result.mask_areas.tolist() == [9, 0, 0]
    assert (second.category, second.track_id, second.result.index) == ('green', 3, 1)
    assert read([]) == []


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(category=None), r'entry 1: names no class \(category\) and no times \(seconds\)'),
        (dict(seconds=None), 'it is not of mmvseg predict; official results need'),
        (dict(segmentations=None, areas=[1]), 'entry 1: lists areas, no masks'),
        (dict(track_id='x'), "entry 1, track_id: 'x'"),
        (dict(track_id=None), 'entry 1: missing track_id'),
        (dict(segmentations=[None] * 2), 'entry 1: 2 frames, but the first entry has 3'),
        (
            dict(segmentations=[dict(size=[2, 2], counts='04'), None, None]),
            r'entry 1: masks of different sizes: \[\(2, 2\), \(6, 8\)\]',
        ),
        (
            dict(segmentations=[dict(size=[6, 8], counts='04'), None, None]),
            'entry 1, frame 0, segmentations: the run-length code covers 4 pixels',
        ),
    ],
)
def test_broken_entries_are_named(read, change, message):
    with pytest.raises(UserError, match=message):
        read([entry(), entry(**change)])


@pytest.mark.parametrize('content', [dict(videos=[]), 3, 'text'])
def test_other_files_are_refused(read, content):
    with pytest.raises(UserError, match='must be a list of tracks, as mmvseg predict writes it'):
        read(content)


def test_entries_that_are_no_objects_are_refused(read):
    with pytest.raises(UserError, match='entry 0: names no class'):
        read([3])
