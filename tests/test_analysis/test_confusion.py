"""Classes of objects and of the tracks that take them, counted by hand."""

import json

from analysis_scenes import numbers_of, scene
from track_scenes import content, entries

from mmvseg.analysis.confusion import Confusion


def counted(objects, object_categories, tracks, categories, crowds=(), **options):
    truth, results = scene(objects, tracks, categories, num_categories=3, **options)
    for entry, category in zip(truth['annotations'], object_categories, strict=True):
        entry['category_id'] = category
        entry['iscrowd'] = int(entry['id'] in crowds)
    return numbers_of(Confusion, truth, results)


def test_table():
    numbers = counted(
        ['aaaa', 'bbbb', 'cccc', 'dddd', 'eeee'],
        [1, 2, 2, 2, 3],
        ['aaaa', 'bbbb', 'cccc', 'dddd', 'hhhh'],
        [1, 1, 1, 3, 2],
    )
    assert numbers == dict(
        rows=['class_1', 'class_2', 'class_3', 'nothing'],
        columns=['class_1', 'class_2', 'class_3', 'missed'],
        counts=[[1, 0, 0, 0], [2, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]],
        most_frequent=[
            dict(truth='class_2', predicted='class_1', count=2),
            dict(truth='class_2', predicted='class_3', count=1),
        ],
    )
    assert json.loads(json.dumps(numbers)) == numbers


def test_the_highest_score_takes_the_object_whatever_its_class():
    options = dict(objects=['aaaa'], object_categories=[1], tracks=['aaaa', 'aaaa'])
    first_right = counted(**options, categories=[1, 2], scores=[0.9, 0.8])['counts']
    assert (first_right[0], first_right[3]) == ([1, 0, 0, 0], [0, 1, 0, 0])
    first_wrong = counted(**options, categories=[1, 2], scores=[0.8, 0.9])['counts']
    assert (first_wrong[0], first_wrong[3]) == ([0, 1, 0, 0], [1, 0, 0, 0])


def test_an_overlap_below_one_half_is_nothing():
    assert counted(['aaaa'], [1], ['a...'], [1])['counts'] == [
        [0, 0, 0, 1],
        [0, 0, 0, 0],
        [0, 0, 0, 0],
        [1, 0, 0, 0],
    ]


def test_crowds_are_not_counted():
    objects, tracks = ['aaaa', 'bbbb', 'cccc'], ['aaaa', 'bbbb', 'bbbb']
    numbers = counted(objects, [1, 1, 1], tracks, [1, 2, 3], crowds=[2, 3])
    assert [sum(row) for row in numbers['counts']] == [1, 0, 0, 0]


def test_the_ten_most_frequent_pairs_are_listed():
    letters = [letter * 2 for letter in 'abcdef']
    annotations = [
        entry | dict(category_id=i)
        for video_id in (1, 2, 3)
        for i, entry in enumerate(entries(letters, video_id=video_id), 1)
    ]
    # Six objects are taken for class 7, then for class 8, and then two of them so again.
    predicted = {1: [7] * 6, 2: [8] * 6, 3: [1, 2, 3, 4, 8, 8]}
    results = [
        entry | dict(category_id=category)
        for video_id, categories in predicted.items()
        for entry, category in zip(entries(letters, video_id=video_id), categories, strict=True)
    ]
    found = numbers_of(Confusion, content(annotations, [2, 2, 2], 8), results)['most_frequent']
    assert [(pair['truth'], pair['predicted'], pair['count']) for pair in found] == [
        ('class_5', 'class_8', 2),
        ('class_6', 'class_8', 2),
        *((f'class_{k}', f'class_{c}', 1) for k in (1, 2, 3, 4) for c in (7, 8)),
    ]
