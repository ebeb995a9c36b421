import csv

import numpy as np
import pytest
from pycocotools import mask as mask_api

from mmvseg.structures import Segment, VideoInstances, VideoPanoptic, VideoSemantic
from mmvseg.visualization.tables import (
    CLASS_COLUMNS,
    SEGMENT_COLUMNS,
    TRACK_COLUMNS,
    class_rows,
    segment_rows,
    track_rows,
    write_table,
)

META = dict(classes=('cat', 'sky'), category_ids=(7, 0))
VIDEO = dict(video_id=4, video='name, with comma')


def written(tmp_path, columns, rows):
    write_table(tmp_path / 'deep/table.csv', columns, [VIDEO | row for row in rows])
    with open(tmp_path / 'deep/table.csv') as file:
        return list(csv.DictReader(file))


def box(row):
    return [int(row[key]) for key in ('x1', 'y1', 'x2', 'y2', 'area')]


def test_tracks(tmp_path):
    mask = np.zeros((20, 30), np.uint8)
    mask[3:8, 10:14] = 1
    mask[5, 11] = 0
    tube = [None, mask_api.encode(np.asfortranarray(mask))]
    instances = VideoInstances(np.array([0.5]), np.array([0]), [tube], np.array([3]))
    (row,) = written(tmp_path, TRACK_COLUMNS, track_rows(instances, ['a.jpg', 'b.jpg'], META))
    assert row['video'] == 'name, with comma'
    assert box(row) == [10, 3, 14, 8, 19]
    assert (row['track'], row['category_id'], row['category']) == ('3', '7', 'cat')
    assert (row['frame'], row['file'], float(row['score'])) == ('1', 'b.jpg', 0.5)


def test_segments(tmp_path):
    first = np.full((20, 30), 2, np.uint8)
    first[3:8, 10:14] = 1
    first[:, :5] = 0
    segments = [Segment(1, 0, True, 1.0, 0), Segment(2, 1, False, 1.0, 1)]
    result = VideoPanoptic(segments, [first, np.full((20, 30), 2, np.uint8)])
    rows = segment_rows(result, [900, 70_000], ['a.jpg', 'b.jpg'], META)
    cat, sky, later = written(tmp_path, SEGMENT_COLUMNS, rows)
    assert box(cat) == [10, 3, 14, 8, 20]
    assert (cat['segment'], cat['png_id'], cat['isthing'], cat['file']) == (
        '1',
        '900',
        '1',
        'a.jpg',
    )
    assert box(sky) == [5, 0, 30, 20, 480]
    assert (sky['png_id'], sky['category_id'], sky['isthing']) == ('70000', '0', '0')
    assert (later['segment'], later['frame']) == ('2', '1')


def test_classes(tmp_path):
    first = np.full((20, 30), 1, np.uint16)
    first[:2] = 0
    first[2:4] = 65535
    rows = class_rows(VideoSemantic([first, np.ones((20, 30), np.uint8)]), ['a', 'b'], META)
    rows = written(tmp_path, CLASS_COLUMNS, rows)
    found = [(row['frame'], row['category'], row['category_id'], row['area']) for row in rows]
    assert found == [('0', 'sky', '0', '480'), ('0', 'cat', '7', '60'), ('1', 'sky', '0', '600')]


def test_no_rows_leave_the_heading(tmp_path):
    assert written(tmp_path, CLASS_COLUMNS, []) == []
    assert (tmp_path / 'deep/table.csv').read_text() == ','.join(CLASS_COLUMNS) + '\n'


@pytest.mark.parametrize(
    ('name', 'cell'),
    [
        *((name, f"'{name}") for name in ('=1+1', '+A1', '-x', '@SUM(A1)', '\t=1', '\uff1d1')),
        ('=\x1b[31m\udcff', r"'=\x1b[31m\udcff"),
        *((name, name) for name in ('cat', "'=1", 'a=b', '-5', '+1.5', '', ' -')),
    ],
)
def test_names_are_no_formulas(tmp_path, name, cell):
    mask = mask_api.encode(np.ones((20, 30), np.uint8, order='F'))
    instances = VideoInstances(np.array([-0.5]), np.array([0]), [[mask]], np.array([3]))
    meta = dict(classes=(name,), category_ids=(-7,))
    (row,) = written(tmp_path, TRACK_COLUMNS, track_rows(instances, [name], meta))
    assert (row['category'], row['file']) == (cell, cell)
    assert (row['category_id'], row['score']) == ('-7', '-0.500000')
