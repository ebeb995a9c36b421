import pytest
from analysis_scenes import analyze, oracle_numbers

from mmvseg.analysis.error_counts import ErrorCounts
from mmvseg.analysis.summary import points, summary


def summary_of(objects, tracks, categories=(), hota=0.5):
    video = analyze(objects, tracks, categories, num_categories=2)
    counts = ErrorCounts()
    counts.add(video)
    return summary(oracle_numbers([video], [1, 2]), counts.numbers(), hota)


@pytest.mark.parametrize(
    ('objects', 'tracks', 'categories', 'kind', 'words'),
    [
        (['aaaaaaaa'], ['aaaa....', '....aaaa'], (), 'association', 'perfect association'),
        (['aaaa'], ['aaaa'], (2,), 'class', 'perfect classes'),
        (['aaaa'], ['AAAA'], (), 'mask', 'perfect masks'),
        (['aaaaaaaa'], ['aaa.....'], (), 'extent', 'perfect extent in time'),
        (['aaaa', 'bbbb'], ['aaaa', 'dddd', 'bbbb'], (), 'false', 'removing false tracks'),
        (['aaaa', 'bbbb'], ['aaaa'], (), 'missed', 'adding missed objects'),
    ],
)
def test_the_largest_gain_is_the_main_loss(objects, tracks, categories, kind, words):
    found = summary_of(objects, tracks, categories)
    assert found['main_loss'] == kind
    missing = points(1 - found['AP'])
    assert f'The most would be gained by {words}: {missing}.' in found['sentence']
    assert found['HOTA'] == 0.5


def test_a_second_gain_is_named():
    found = summary_of(['aaaa', 'bbbb', 'cccc'], ['AAAA', 'bbbb'])
    assert found['sentence'].count('; then by ') == 1


def test_nothing_found_and_nothing_missing_are_said():
    found = summary_of(['aaaa'], ['cccc'])
    assert found['sentence'] == (
        'AP is 0.0: no track is right at IoU 0.5. The most would be gained by '
        'adding missed objects: +100.0.'
    )
    found = summary_of(['aaaa'], ['aaaa'])
    assert (found['main_loss'], found['sentence']) == (None, 'AP is 100.0; nothing is missing.')


def test_small_gains_are_not_called_a_loss():
    errors = dict(right_tracks=1)
    oracles = dict(predicted=dict(AP=0.99), alone=dict(mask=dict(AP=0.0049)))
    found = summary(oracles, errors, 0.5)
    assert found['main_loss'] is None
    assert found['sentence'] == 'AP is 99.0; no kind of error costs 0.5 alone.'
    oracles['alone']['mask']['AP'] = 0.005
    assert summary(oracles, errors, 0.5)['main_loss'] == 'mask'


def test_without_objects_there_is_no_ap():
    found = summary(dict(predicted=dict(AP=-1.0), alone={}), dict(right_tracks=0), 0.0)
    assert found['sentence'] == 'There is no AP: the ground truth has no object that counts.'


def test_a_gain_of_nothing_has_no_minus():
    assert [points(gain) for gain in (-1e-9, 0.0, 0.015, -0.015)] == [
        '+0.0',
        '+0.0',
        '+1.5',
        '-1.5',
    ]
