"""Annotation files that are written video by video."""

import json

import numpy as np
import pytest

from mmvseg.errors import UserError
from mmvseg.formats.labels.outlines import encode
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_writer import YouTubeVISJournal, annotation_lists

CLASSES = [dict(id=4, name='Fußgänger'), dict(id=2, name='dog')]


def video(name):
    return dict(
        name=name, height=2, width=4, length=2, file_names=[f'{name}/0.png', f'{name}/1.png']
    )


def entry(category='dog', **more):
    mask = np.zeros((2, 4))
    mask[1, 1:3] = 1
    return dict(category=category, iscrowd=0, **annotation_lists([None, encode(mask)]), **more)


def test_lists_are_measured_on_the_masks():
    lists = entry()
    assert lists['bboxes'] == [None, [1, 1, 2, 1]]
    assert lists['areas'] == [None, 2]
    assert lists['segmentations'][1]['size'] == [2, 4]
    assert annotation_lists([None]) == dict(segmentations=[None], bboxes=[None], areas=[None])


def test_long_videos_are_measured():
    rles = [encode(np.arange(8).reshape(2, 4) < frame % 9) for frame in range(1000)]
    areas = annotation_lists([rle if i % 9 else None for i, rle in enumerate(rles)])['areas']
    assert areas == [i % 9 or None for i in range(1000)]


def test_file_is_of_the_form(tmp_path):
    journal = YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'))
    journal.add('0', video('street'), [entry(), entry('Fußgänger', track='7')])
    journal.add('1', video('empty'), [])
    journal.add('2', video('road'), [entry()])
    journal.finish(CLASSES)
    read = read_youtube_vis(tmp_path / 'a.json')
    assert [category.name for category in read.categories] == ['Fußgänger', 'dog']
    assert [v.name for v in read.videos.values()] == ['street', 'empty', 'road']
    assert [(a.id, a.video_id, a.category_id) for a in read.annotations] == [
        (1, 1, 2),
        (2, 1, 4),
        (3, 3, 2),
    ]
    content = json.loads((tmp_path / 'a.json').read_text())
    assert content['annotations'][1]['track'] == '7'
    assert [path.name for path in tmp_path.iterdir()] == ['a.json']


def test_a_stopped_run_goes_on(tmp_path):
    whole = YouTubeVISJournal(tmp_path / 'whole.json', dict(what='x'))
    stopped = YouTubeVISJournal(tmp_path / 'stopped.json', dict(what='x'))
    for journal in (whole, stopped):
        journal.add('0', video('street'), [entry()])
    with stopped.journal.open('ab') as file:
        file.write(b'{"key":"1","video":{"na')  # killed in the midst of a line
    again = YouTubeVISJournal(tmp_path / 'stopped.json', dict(what='x'))
    assert again.finished == {'0'}
    for journal in (whole, again):
        journal.add('1', video('road'), [entry()])
        journal.finish(CLASSES)
    assert (tmp_path / 'stopped.json').read_bytes() == (tmp_path / 'whole.json').read_bytes()


def test_a_run_of_another_purpose_is_refused(tmp_path):
    journal = YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'))
    journal.add('0', video('street'), [entry()])
    with pytest.raises(UserError, match='another import into this folder was interrupted'):
        YouTubeVISJournal(tmp_path / 'a.json', dict(what='y'))
    assert YouTubeVISJournal(tmp_path / 'a.json', dict(what='x')).finished == {'0'}
    replacing = YouTubeVISJournal(tmp_path / 'a.json', dict(what='y'), replace=True)
    assert (replacing.finished, replacing.is_outdated, [*replacing.lines()]) == (set(), False, [])


def test_a_run_without_a_video_is_in_nobodys_way(tmp_path):
    YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'))
    YouTubeVISJournal(tmp_path / 'a.json', dict(what='y')).add('0', video('street'), [])
    assert YouTubeVISJournal(tmp_path / 'a.json', dict(what='y')).finished == {'0'}


def test_a_run_of_another_version_begins_anew(tmp_path):
    YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'), 'old').add('0', video('street'), [])
    assert YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'), 'old').finished == {'0'}
    anew = YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'), 'new')
    assert (anew.finished, anew.is_outdated, [*anew.lines()]) == (set(), True, [])


def test_something_else_in_its_place_is_refused(tmp_path):
    (tmp_path / '.a.json.journal').write_text('[1, 2]\n')
    with pytest.raises(UserError, match='not what an import leaves'):
        YouTubeVISJournal(tmp_path / 'a.json', dict(what='x'))
