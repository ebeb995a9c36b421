import numpy as np
import pytest

from mmvseg.analysis.bootstrap import MIN_VIDEOS, Difference, draw_videos, paired_difference


def test_draws_are_of_as_many_videos_as_there_are():
    draws = draw_videos(20, 500)
    assert draws.shape == (500, 20)
    assert (draws.sum(axis=1) == 20).all()
    assert draws.mean(axis=0) == pytest.approx(1, abs=0.2)
    # A video is left out of a draw with a chance of (1 - 1/20)^20.
    assert (draws == 0).mean() == pytest.approx(0.95**20, abs=0.02)


def test_the_seed_fixes_the_draws():
    np.testing.assert_array_equal(draw_videos(9, 5, seed=1), draw_videos(9, 5, seed=1))
    assert (draw_videos(9, 5, seed=1) != draw_videos(9, 5, seed=2)).any()


def compared(differences, num_videos=MIN_VIDEOS, **options):
    a = np.full(len(differences), 0.5)
    return paired_difference((0.5, 0.6), (a, a + differences), num_videos, **options)


def test_the_interval_holds_the_middle_of_the_draws():
    found = compared(np.linspace(-0.2, 0.8, 1001)[::-1])
    assert (found.low, found.high) == pytest.approx((-0.175, 0.775))
    assert found.difference == pytest.approx(0.1)
    assert found.verdict == 'no clear difference'
    assert found.share_better == pytest.approx(0.8, abs=0.002)


@pytest.mark.parametrize(
    ('differences', 'verdict', 'reverse'),
    [
        ([0.1, 0.2, 0.3], 'clearly better', 'clearly worse'),
        ([-0.1, -0.2, -0.3], 'clearly worse', 'clearly better'),
        ([-0.1, 0.2, 0.3], 'no clear difference', 'no clear difference'),
        ([1e-16, 2e-16, 1e-16], 'no clear difference', 'no clear difference'),
    ],
)
def test_verdicts(differences, verdict, reverse):
    assert compared(np.array(differences)).verdict == verdict
    other = compared(np.array(differences), lower_is_better=True)
    assert other.verdict == reverse
    assert other.share_better == pytest.approx(np.mean(np.array(differences) < -1e-9))


def test_draws_without_a_value_do_not_count():
    with_gaps = compared(np.array([np.nan, 0.1, np.nan, 0.3, 0.2]))
    assert with_gaps == compared(np.array([0.1, 0.3, 0.2]))


def test_few_videos_give_no_interval():
    found = compared(np.array([0.1, 0.1]), num_videos=MIN_VIDEOS - 1)
    assert found.verdict == 'too few videos'
    assert found.sign == 0
    assert found.numbers() == dict(
        a=0.5,
        b=0.6,
        difference=pytest.approx(0.1),
        interval=None,
        verdict='too few videos',
        share_better=None,
    )


def test_what_is_measured_in_neither_is_not_compared():
    nothing = np.full(3, np.nan)
    found = paired_difference((np.nan, np.nan), (nothing, nothing), MIN_VIDEOS)
    numbers = found.numbers()
    assert (numbers['a'], numbers['b'], numbers['difference']) == (-1, -1, None)
    assert numbers['verdict'] == 'nothing to compare'


def test_plain_numbers():
    numbers = Difference(0.5, 0.75, 0.1, 0.4, 1.0).numbers()
    assert numbers == dict(
        a=0.5,
        b=0.75,
        difference=0.25,
        interval=[0.1, 0.4],
        verdict='clearly better',
        share_better=1.0,
    )
