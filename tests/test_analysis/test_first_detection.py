"""Delays until an object is shown, counted by hand."""

import json

from analysis_scenes import numbers_of, scene

from mmvseg.analysis.first_detection import FirstDetection


def test_delays_fall_into_bins():
    objects = ['a' * 30, '.' + 'b' * 29, 'c' * 30, '..' + 'd' * 28, 'e' * 30, 'f' * 30, 'g' * 30]
    tracks = [
        'a' * 30,
        '..' + 'b' * 28,
        '..' + 'c' * 28,
        '.' * 6 + 'd' * 24,
        '.' * 9 + 'e' * 21,
        '.' * 11 + 'f' * 19,
    ]
    numbers = numbers_of(FirstDetection, *scene(objects, tracks))
    expected = dict(
        objects=7,
        without_track=1,
        histogram={'0': 1, '1': 1, '2-4': 2, '5-9': 1, '>=10': 1, 'never': 0},
        median=3.0,  # of 0, 1, 2, 4, 9, 11
    )
    assert numbers == dict(all=expected, classes=dict(class_1=expected))
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_a_track_that_never_shows_the_object():
    # The strip 3 has an IoU of 0.25 with a.
    numbers = numbers_of(FirstDetection, *scene(['aaaa'], ['3333']))['all']
    assert numbers['histogram']['never'] == 1
    assert numbers['without_track'] == 0
    assert numbers['median'] is None


def test_the_track_that_takes_the_object_goes_before_a_better_one_of_another_class():
    objects, tracks = ['aaaa'], ['aaaa', '..aa']
    taken = numbers_of(FirstDetection, *scene(objects, tracks, [2, 1], 2))
    assert taken['all']['median'] == 2
    best = numbers_of(FirstDetection, *scene(objects, tracks, [2, 2], 2))
    assert best['all']['median'] == 0


def test_classes_are_those_of_the_objects_and_crowds_are_left_out():
    truth, results = scene(['aaaa', 'bbbb', 'cccc'], ['.aaa', 'bbbb', 'cccc'], [1, 2, 1], 3)
    truth['annotations'][1]['category_id'] = 2
    truth['annotations'][2]['iscrowd'] = 1
    numbers = numbers_of(FirstDetection, truth, results)
    assert numbers['all']['objects'] == 2
    medians = {name: entry['median'] for name, entry in numbers['classes'].items()}
    assert medians == dict(class_1=1, class_2=0, class_3=None)
