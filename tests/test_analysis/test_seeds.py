import json

import pytest
from run_records import record

from mmvseg.analysis.oracles import OracleAP
from mmvseg.analysis.run_values import RunRecord
from mmvseg.analysis.seeds import compare_seeds
from mmvseg.analysis.tube_kinds import KINDS

TRUE, SWITCHED = ['aaaaaaaa', 'bbbbbbbb', 'cccccccc'], ['aaaabbbb', 'bbbbaaaa', 'cccccccc']
#: Of three objects in one video, all find c, one finds a, and two of them b.
TRACKS = [TRUE, SWITCHED, ['bbbbbbbb', 'cccccccc']]


@pytest.fixture(scope='module')
def seeds():
    return compare_seeds([record([TRUE], [tracks]) for tracks in TRACKS])


def test_ranges(seeds):
    ap = [record([TRUE], [tracks]).oracle_ap.numbers()['predicted']['AP'] for tracks in TRACKS]
    number = seeds['main']['AP']
    assert number['values'] == pytest.approx(ap)
    assert (number['min'], number['max']) == pytest.approx((min(ap), max(ap)))
    mean = sum(ap) / 3
    assert number['mean'] == pytest.approx(mean)
    assert number['std'] == pytest.approx((sum((value - mean) ** 2 for value in ap) / 2) ** 0.5)
    assert seeds['main']['IDSW']['values'] == [0, 2, 0]
    assert seeds['num_runs'] == 3


def test_gains_of_the_oracles(seeds):
    gains = seeds['gains']['alone']
    assert {*gains} == {*KINDS} == {*seeds['gains']['in_order']}
    assert gains['association']['values'] == pytest.approx(
        [0, 1 - seeds['main']['AP']['values'][1], 0]
    )
    assert gains['missed']['values'][:2] == [0, 0]
    assert gains['missed']['max'] == pytest.approx(1 - seeds['main']['AP']['values'][2])


def test_who_finds_which_object(seeds):
    objects = seeds['objects']
    assert {name: objects[name] for name in ('all', 'some', 'none')} == dict(all=1, some=2, none=0)
    common = dict(video_id=1, video='video_1', category='class_1')
    assert objects['not_found_by_all'] == [
        dict(annotation=1, found_by=1, kinds=['', 'association', 'missed'], **common),
        dict(annotation=2, found_by=2, kinds=['', 'association', ''], **common),
    ]


def test_objects_that_none_finds():
    runs = [record([['aaaa', 'bbbb']], [['aaaa']]) for _ in 'ab']
    seeds = compare_seeds(runs)
    assert seeds['objects']['none'] == 1
    assert seeds['main']['AP']['std'] == 0
    assert seeds['objects']['not_found_by_all'][0]['found_by'] == 0


def test_nothing_to_measure():
    run = record([['aaaa']], [['aaaa']])
    empty = RunRecord(OracleAP([1]), run.tracking, [])
    numbers = compare_seeds([empty, empty])
    nothing = dict(values=[-1, -1], mean=None, min=None, max=None, std=None)
    assert numbers['main']['AP'] == nothing
    json.dumps(numbers, allow_nan=False)


def test_a_range_needs_two_runs_of_one_truth():
    run = record([TRUE], [TRUE])
    with pytest.raises(ValueError, match='at least two'):
        compare_seeds([run])
    with pytest.raises(ValueError, match='not of the same ground truth'):
        compare_seeds([run, record([TRUE[:2]], [TRUE])])
