"""Several files made one: what their classes, ids and frames become."""

import pytest
from edit_scenes import opened, plain, scene

from mmvseg.errors import UserError
from mmvseg.formats.edits.merge import merge
from mmvseg.formats.edits.split import split


def merged(tmp_path, *scenes, folders=None):
    files = [
        opened(tmp_path / f'{letter}.json', s) for letter, s in zip('abc', scenes, strict=False)
    ]
    return merge(files, folders)


def ids(entries):
    return [entry['id'] for entry in entries]


def test_parts_of_a_split_become_the_file_again(tmp_path):
    made = scene(['0', '01', '1', '0'])
    parts = split(opened(tmp_path / 'x.json', made), 2, 0)
    whole = merge([parts.train, parts.val])
    assert whole.notes == []
    for key, entries in plain(whole).items():
        assert sorted(entries, key=lambda entry: entry['id']) == made[key]


def test_ids_that_no_two_files_share_stay(tmp_path):
    first, second = scene(['0', '1']), scene(['1'], first=7)
    second['annotations'][0]['id'] = 50
    whole = plain(merged(tmp_path, first, second))
    assert whole == {
        'videos': first['videos'] + second['videos'],
        'categories': first['categories'],
        'annotations': first['annotations'] + second['annotations'],
    }


def test_ids_that_files_share_are_given_anew(tmp_path):
    first, second = scene(['0', '1'], first=5), scene(['01', '', '1'], first=6, folder='w')
    found = merged(tmp_path, first, second)
    whole = plain(found)
    assert ids(whole['videos']) == [1, 2, 3, 4, 5]
    assert ids(whole['annotations']) == [1, 2, 3, 4, 5]
    assert [entry['video_id'] for entry in whole['annotations']] == [1, 2, 3, 3, 5]
    assert [entry['track'] for entry in whole['annotations']] == ['v/1', 'v/2', 'w/1', 'w/2', 'w/3']
    assert [video['source'] for video in whole['videos']] == [
        *('tape 0', 'tape 1', 'tape 0', 'tape 1', 'tape 2')
    ]
    assert found.notes == [
        'the files share ids of videos: all videos are numbered from 1',
        'the files share ids of objects: all objects are numbered from 1',
    ]


def test_objects_may_be_numbered_anew_while_videos_are_not(tmp_path):
    whole = plain(merged(tmp_path, scene(['0']), scene(['1'], first=9)))
    assert ids(whole['videos']) == [1, 9]
    assert [(entry['id'], entry['video_id']) for entry in whole['annotations']] == [(1, 1), (2, 9)]


def test_classes_are_told_by_name(tmp_path):
    first = scene(['01'], ('cat', 'café'))
    second = scene(
        ['012'], ('fox', 'cafe\u0301', 'cat'), first=2
    )  # the accent as a sign of its own
    second['categories'][1]['supercategory'] = 'another'
    third = scene(['0'], ('owl',), first=3)
    found = merged(tmp_path, first, second, third)
    whole = plain(found)
    assert [(c['id'], c['name'], c['supercategory']) for c in whole['categories']] == [
        *((1, 'cat', 'thing'), (2, 'café', 'thing')),
        *((4, 'fox', 'thing'), (5, 'owl', 'thing')),
    ]
    assert [entry['category_id'] for entry in whole['annotations']] == [1, 2, 4, 2, 1, 5]
    assert [note for note in found.notes if 'classes' in note] == [
        f'{tmp_path}/b.json: classes get other ids: fox 1 -> 4, cat 3 -> 1',
        f'{tmp_path}/c.json: classes get other ids: owl 1 -> 5',
    ]


def test_ids_of_new_classes_stay_if_they_are_free(tmp_path):
    second = scene(['0'], ('fox',), first=2)
    second['categories'][0]['id'] = second['annotations'][0]['category_id'] = 30
    found = merged(tmp_path, scene(['0']), second)
    assert ids(plain(found)['categories']) == [1, 2, 30]
    assert not any('classes' in note for note in found.notes)


def test_names_that_look_alike_are_told(tmp_path):
    second = scene(['01'], ('Traffic Light', 'dog'), first=2)
    found = merged(tmp_path, scene(['0'], ('traffic_light',)), second)
    assert [note for note in found.notes if 'two classes' in note] == [
        "'traffic_light' and 'Traffic Light' are two classes; mmvseg data remap makes them one"
    ]


def test_equal_frames_are_refused(tmp_path):
    with pytest.raises(UserError) as error:
        merged(tmp_path, scene(['0', '1']), scene(['0'], first=2))
    assert f'{tmp_path}/b.json: video 2 has the frame v2/0.jpg, and so has video 2 of' in str(
        error.value
    )
    assert '--frames DIR DIR' in str(error.value)
    with pytest.raises(UserError, match='has the frame'):
        merged(tmp_path, scene(['0']), scene(['0']), folders=['x', 'x'])


def test_frames_in_several_folders(tmp_path):
    first, second = scene(['0']), scene(['0'])
    second['videos'][0]['file_names'][1] = '/elsewhere/1.jpg'
    whole = plain(merged(tmp_path, first, second, folders=['a/frames', '']))
    assert [video['file_names'] for video in whole['videos']] == [
        ['a/frames/v1/0.jpg', 'a/frames/v1/1.jpg'],
        ['v1/0.jpg', '/elsewhere/1.jpg'],
    ]


def test_files_without_annotations_are_told(tmp_path):
    second = scene(['0'], first=2) | dict(annotations=None)
    found = merged(tmp_path, scene(['1']), second)
    assert len(found.objects) == 1
    assert found.notes == [
        f'{tmp_path}/b.json: it has no annotations; its videos count as videos without objects'
    ]


def test_what_stands_beside_the_lists(tmp_path):
    first = scene(['0']) | dict(info='x', licenses=[1])
    second = scene(['0'], first=2) | dict(info='y', licenses=[1], extra=2)
    found = merged(tmp_path, first, second)
    assert {key: bytes(value) for key, value in found.others.items()} == {
        'info': b'"x"',
        'licenses': b'[1]',
        'extra': b'2',
    }
    assert f"{tmp_path}/b.json: its 'info' is left out, that of another file stays" in found.notes
