"""AP by groups: the official ones, and scenes that are right in one group alone."""

import json

import helpers
import pytest
from analysis_scenes import numbers_of, scene
from track_scenes import content, entries

from mmvseg.analysis.groups import ANNOTATED, COVERED, GroupAP
from mmvseg.analysis.video_analysis import analyzed_videos
from mmvseg.errors import UserError
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'


def numbers_of_case(name):
    truth = read_youtube_vis(CASES / name / 'gt.json')
    collected = GroupAP(truth)
    for video in analyzed_videos(truth, read_results(CASES / name / 'results.json'), name):
        collected.add(video)
    return collected.numbers(), json.loads((CASES / name / 'expected.json').read_text())


def groups(kind, truth, results):
    return numbers_of(GroupAP, truth, results)[kind]['groups']


def figures(kind, truth, results):
    """Objects, AP and AP50 by group."""
    return {
        name: (group['objects'], pytest.approx(group['AP']), pytest.approx(group['AP50']))
        for name, group in groups(kind, truth, results).items()
    }


@pytest.mark.parametrize('name', ['normal', 'edge', 'quirk_json_areas', 'ovis_occlusion'])
def test_sizes_are_the_official_ones(name):
    numbers, expected = numbers_of_case(name)
    for size, group in numbers['size']['groups'].items():
        assert group['AP'] == pytest.approx(expected['stats'][f'AP_{size}'], abs=1e-9)


def test_occlusions_are_the_official_ones():
    numbers, expected = numbers_of_case('ovis_occlusion')
    assert numbers['occlusion']['measure'] == ANNOTATED
    for name, group in numbers['occlusion']['groups'].items():
        assert group['AP'] == pytest.approx(expected['ovis']['stats'][f'AP_{name}'], abs=1e-9)


def test_bounds_are_told_and_open_ends_are_none():
    numbers = numbers_of(GroupAP, *scene(['aa'], ['aa']))
    assert {name: (g['low'], g['high']) for name, g in numbers['length']['groups'].items()} == {
        'short': (1, 10),
        'medium': (11, 30),
        'long': (31, None),
    }
    assert numbers['size']['groups']['large']['high'] is None
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers


def test_lengths():
    # The first track is wrong and counts in the group of its own length alone.
    truth, results = scene(
        ['a' * 12, 'b' * 5 + '.' * 7, 'c' * 10 + '..'], ['h' * 11 + '.', 'a' * 12, 'c' * 10 + '..']
    )
    ap_short = 51 / 101  # one of two is found, and it comes first
    assert figures('length', truth, results) == {
        'short': (2, ap_short, ap_short),
        'medium': (1, 0.5, 0.5),
        'long': (0, -1, -1),
    }


def test_sizes_of_objects_and_tracks():
    truth, results = scene(['aa', 'bb'], ['hh', 'aa', 'bb'])
    truth['annotations'][1]['areas'] = [128**2 + 1] * 2  # officially the file's areas count
    assert figures('size', truth, results) == {
        'small': (1, 0.5, 0.5),
        'medium': (1, 1, 1),
        'large': (0, -1, -1),
    }


def test_numbers_of_objects_are_of_videos():
    annotations = [*entries(['aa']), *entries(['aa', 'bb', 'cc'], video_id=2)]
    results = [
        *entries(['hh'], video_id=3),  # in a video without objects, so in no group
        *entries(['hh', 'aa', 'bb'], video_id=2),
        *entries(['aa']),
    ]
    truth = content(annotations, [2, 2, 2])
    # Two of three are found, after a false one: a precision of 2 / 3 up to a recall of 2 / 3.
    ap = 67 * 2 / 3 / 101
    assert figures('objects', truth, results) == {
        '1': (1, 1, 1),
        '2-3': (3, ap, ap),
        '4-6': (0, -1, -1),
        '>6': (0, -1, -1),
    }


def test_motions():
    truth, results = scene(['abab', 'cccc', 'd...'], ['gggg', 'abab', 'cccc', 'h...'])
    assert figures('motion', truth, results) == {
        'slow': (1, 0.5, 0.5),
        'medium': (0, -1, -1),
        'fast': (1, 1, 1),
    }


def test_what_takes_nothing_is_wrong_in_each_group_of_occlusion():
    # a and b are beside each other; c is wholly in the box of the fourth object.
    truth, results = scene(['aaaa', 'cccc'], ['hhhh', 'aaaa', 'cccc'])
    covering = truth['annotations'][1] | dict(id=3)
    truth['annotations'].append(covering)
    assert numbers_of(GroupAP, truth, results)['occlusion']['measure'] == COVERED
    ap_heavy = 51 * 0.5 / 101  # one of two, after a false one
    assert figures('occlusion', truth, results) == {
        'light': (1, 0.5, 0.5),
        'moderate': (0, -1, -1),
        'heavy': (2, ap_heavy, ap_heavy),
    }


def test_annotated_occlusion_counts_where_each_object_has_it():
    truth, results = scene(['aa', 'bb'], ['aa', 'bb'])
    first, second = truth['annotations']
    first['occlusion'] = ['severe_occlusion'] * 2
    assert {name: g['objects'] for name, g in groups('occlusion', truth, results).items()} == dict(
        light=2, moderate=0, heavy=0
    )
    second['occlusion'] = ['slight_occlusion', 'no_occlusion']
    assert {name: g['objects'] for name, g in groups('occlusion', truth, results).items()} == dict(
        light=1, moderate=1, heavy=1
    )


def test_broken_occlusion_is_refused():
    truth, results = scene(['aa'], ['aa'])
    truth['annotations'][0]['occlusion'] = ['heavy', None]
    with pytest.raises(UserError, match=r'video 1, annotation 1.*occlusion'):
        numbers_of(GroupAP, truth, results)


def test_crowds_are_in_no_group():
    truth, results = scene(['aa', 'bb'], ['bb', 'aa'])
    truth['annotations'][1]['iscrowd'] = 1
    assert figures('size', truth, results)['small'] == (1, 1, 1)
    assert figures('objects', truth, results)['1'] == (1, 1, 1)


def test_without_tracks_nothing_is_found():
    assert figures('motion', *scene(['aa'], []))['slow'] == (1, 0, 0)
