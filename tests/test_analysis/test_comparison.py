"""Scenes of several videos, in which it is known what B does other than A."""

import json

import numpy as np
import pytest
from run_records import record

from mmvseg.analysis.comparison import compare
from mmvseg.analysis.oracles import OracleAP
from mmvseg.analysis.run_values import MAIN, RunRecord
from mmvseg.analysis.tube_kinds import KINDS

NUM_VIDEOS = 8
TRUE = ['aaaaaaaa', 'bbbbbbbb']
SWITCHED = ['aaaabbbb', 'bbbbaaaa']
POOR = ['aaa.....', 'bbbbbbbb']


def run(tracks, objects=TRUE, **options):
    """A run with the same objects in each video."""
    return record([objects] * len(tracks), tracks, **options)


@pytest.fixture(scope='module')
def mended():
    """A takes the objects of each video for each other, B does not."""
    return compare(run([SWITCHED] * NUM_VIDEOS), run([TRUE] * NUM_VIDEOS), num_draws=200)


def test_the_same_results_do_not_differ():
    a, b = (run([TRUE, SWITCHED, POOR, *[TRUE] * 5]) for _ in 'ab')
    numbers = compare(a, b, num_draws=100).numbers()
    compared = [*numbers['main'].values(), *numbers['class_mean'].values()]
    compared += numbers['classes']['class_1'].values()
    compared += [part for oracle in numbers['oracles'].values() for part in oracle.values()]
    assert len(compared) == 2 * len(MAIN) + 5 + 3 * len(KINDS)
    for number in compared:
        assert number['difference'] == 0
        assert number['interval'] == [0, 0]
        assert number['verdict'] == 'no clear difference'
        assert number['share_better'] == 0
    assert 0 < numbers['main']['AP']['a'] < 1
    assert (numbers['objects_gained'], numbers['objects_lost']) == ([], [])
    assert numbers['sentence'] == (
        'There is no clear difference: B - A is +0.0 AP (95 % interval 0.0 to 0.0 over 8 videos); '
        'objects gained 0, lost 0.'
    )


def test_a_mended_switch_is_association(mended):
    numbers = mended.numbers()
    for name in ('AP', 'AP50', 'AP75', 'HOTA', 'AssA', 'IDF1'):
        number = numbers['main'][name]
        assert number['verdict'] == 'clearly better'
        assert 0 < number['interval'][0] <= number['difference'] <= number['interval'][1]
        assert number['share_better'] == 1
    assert numbers['main']['DetA']['difference'] == pytest.approx(0)
    assert numbers['main']['DetA']['verdict'] == 'no clear difference'
    switches = numbers['main']['IDSW']
    assert (switches['a'], switches['b']) == (2 * NUM_VIDEOS, 0)
    assert switches['verdict'] == 'clearly better'
    oracles = numbers['oracles']
    for part in ('gain', 'gain_in_order'):
        assert oracles['association'][part]['a'] == pytest.approx(1)
        assert oracles['association'][part]['b'] == pytest.approx(0)
        assert oracles['association'][part]['verdict'] == 'clearly better'
        assert {oracles[kind][part]['verdict'] for kind in KINDS[1:]} == {'no clear difference'}
    assert oracles['association']['AP']['difference'] == pytest.approx(0)
    assert numbers['sentence'] == (
        'B is better by 100.0 AP (95 % interval 100.0 to 100.0 over 8 videos); most of it is '
        'association (100.0 points); clear in tracking: AssA +66.7, id switches -16; '
        'objects gained 16, lost 0.'
    )
    json.dumps(numbers, allow_nan=False)


def test_objects_gained_and_lost(mended):
    assert len(mended.gained) == 2 * NUM_VIDEOS
    assert mended.gained[0] == dict(
        video_id=1, video='video_1', category='class_1', annotation=1, kind='association'
    )
    assert mended.lost == []
    a, b = (run([TRUE] * NUM_VIDEOS), run([TRUE, POOR, ['aaaaaaaa'], *[TRUE] * 5]))
    back = compare(a, b, num_draws=10)
    assert back.gained == []
    assert [(o['annotation'], o['kind']) for o in back.lost] == [(3, 'extent'), (6, 'missed')]


def test_the_other_way_round_is_worse(mended):
    back = compare(run([TRUE] * NUM_VIDEOS), run([SWITCHED] * NUM_VIDEOS), num_draws=200)
    for name in ('AP', 'AssA', 'IDSW'):
        there, here = mended.main[name], back.main[name]
        assert here.verdict == 'clearly worse'
        assert (here.low, here.high) == pytest.approx((-there.high, -there.low))
    assert back.sentence().startswith('B is worse by 100.0 AP (95 % interval 100.0 to 100.0')
    assert 'most of it is association' in back.sentence()
    assert [{**o, 'kind': ''} for o in back.lost] == [{**o, 'kind': ''} for o in mended.gained]


def test_the_most_changed_videos_come_first():
    a = run([TRUE, POOR, TRUE, SWITCHED])
    b = run([TRUE, TRUE, POOR, TRUE])
    videos = compare(a, b, num_draws=10).videos
    assert [video['video_id'] for video in videos] == [4, 2, 3, 1]
    ap = [video['AP']['difference'] for video in videos]
    # With a wrong track before the right one, precision is 0.5 at 51 of 101 recall points.
    lead = 1 - 0.5 * 51 / 101
    assert ap == pytest.approx([1, lead, -lead, 0])
    assert videos[0]['IDSW'] == dict(a=2, b=0, difference=-2)
    assert [(video['gained'], video['lost']) for video in videos] == [
        (2, 0),
        (1, 0),
        (0, 1),
        (0, 0),
    ]


def test_a_video_without_objects_has_no_ap():
    empty = record([['aaaa'], []], [['aaaa'], ['bbbb']])
    (_, video) = compare(empty, empty, num_draws=10).videos
    assert video['video_id'] == 2
    assert video['AP'] == dict(a=-1, b=-1, difference=None)


def test_classes_are_compared_each():
    options = dict(num_categories=3, object_categories=[1, 2] * NUM_VIDEOS)
    a = run([['aaaaaaaa', 'bbb.....']] * NUM_VIDEOS, categories=[1, 2] * NUM_VIDEOS, **options)
    b = run([TRUE] * NUM_VIDEOS, categories=[1, 2] * NUM_VIDEOS, **options)
    found = compare(a, b, num_draws=50)
    assert found.main['AP'].difference == pytest.approx(0.5)
    ap = {name: numbers['AP'] for name, numbers in found.classes.items()}
    assert ap['class_1'].verdict == 'no clear difference'
    assert ap['class_2'].verdict == 'clearly better'
    assert ap['class_2'].difference == pytest.approx(1)
    assert ap['class_3'].verdict == 'nothing to compare'
    assert found.classes['class_3']['HOTA'].verdict == 'nothing to compare'
    assert 'most of it is wrong extent (50.0 points)' in found.sentence()


def test_few_videos_say_nothing_about_chance():
    found = compare(run([SWITCHED] * 5), run([TRUE] * 5), num_draws=10)
    assert {d.verdict for d in [*found.main.values(), *found.gains.values()]} == {'too few videos'}
    assert found.sentence() == (
        'B - A is +100.0 AP; the videos with objects are too few for an interval; '
        'objects gained 10, lost 0.'
    )


def test_a_class_in_few_videos_says_nothing_about_chance():
    objects = [['aaaa'], *[['aaaa', 'bbbb']] * 3, *[['bbbb']] * 3]
    categories = [1, *[1, 2] * 3, *[2] * 3]
    options = dict(num_categories=2, object_categories=categories, categories=categories)
    same = record(objects, objects, **options)
    found = compare(same, same, num_draws=20)
    verdicts = {name: numbers['AP'].verdict for name, numbers in found.classes.items()}
    assert verdicts == dict(class_1='too few videos', class_2='no clear difference')


def test_without_objects_there_is_nothing_to_compare():
    other = record([['aaaa']], [['aaaa']])
    nothing = RunRecord(OracleAP([1]), other.tracking, [])
    assert compare(nothing, nothing, num_draws=10).sentence().startswith('There are no objects')


@pytest.fixture(scope='module')
def mixed():
    """Two runs of which each is better in some videos."""
    a = run([SWITCHED, POOR, *[TRUE] * 6])
    b = run([TRUE, TRUE, POOR, *[TRUE] * 5])
    return a, b


def test_what_is_gained_less_in_order_is_the_lead(mixed):
    found = compare(*mixed, num_draws=10)
    less = sum(-gain.difference for gain in found.gains_in_order.values())
    assert found.main['AP'].difference == pytest.approx(less)
    assert found.main['AP'].difference > 0.05


def test_seed_and_number_of_draws(mixed):
    def interval(**options):
        ap = compare(*mixed, **options).main['AP']
        return ap.low, ap.high

    assert interval(num_draws=50) == interval(num_draws=50, seed=0)
    assert interval(num_draws=50) != interval(num_draws=50, seed=1)
    assert interval(num_draws=50) != interval(num_draws=60)


def test_a_difference_in_few_videos_is_not_clear():
    found = compare(run([SWITCHED, *[TRUE] * 7]), run([TRUE] * NUM_VIDEOS))
    ap = found.main['AP']
    assert ap.difference > 0.1
    assert ap.low == pytest.approx(0, abs=1e-12)
    assert ap.verdict == 'no clear difference'
    # The one video is left out of a draw with a chance of (7/8)^8 = 0.34.
    assert ap.share_better == pytest.approx(0.66, abs=0.05)


def test_runs_of_other_truths_are_refused():
    a = run([TRUE] * 2)
    for b in (run([TRUE] * 3), run([TRUE] * 2, num_categories=2)):
        with pytest.raises(ValueError, match='not of the same ground truth'):
            compare(a, b)
    with pytest.raises(ValueError, match='same classes'):
        RunRecord(OracleAP([2]), a.tracking, a.outcomes)


def test_whole_set_and_draws_are_the_official_numbers(mixed):
    a, b = mixed
    found = compare(a, b, num_draws=10)
    for name, run_ in (('a', a), ('b', b)):
        numbers = run_.oracle_ap.numbers()
        official = numbers['predicted']
        assert getattr(found.main['AP'], name) == pytest.approx(official['AP'], abs=1e-14)
        assert getattr(found.main['AP50'], name) == pytest.approx(official['AP50'], abs=1e-14)
        for own, other in (('gains', 'alone'), ('gains_in_order', 'in_order')):
            gains = {kind: getattr(d, name) for kind, d in getattr(found, own).items()}
            expected = {kind: gain['AP'] for kind, gain in numbers[other].items()}
            assert gains == pytest.approx(expected, abs=1e-14)
        hota = run_.tracking.overall()['cls_comb_det_av']['mean_over_alpha']['HOTA']
        assert getattr(found.main['HOTA'], name) == pytest.approx(hota, abs=1e-12)
    assert not np.isclose(found.main['AP'].a, found.main['AP'].b)
