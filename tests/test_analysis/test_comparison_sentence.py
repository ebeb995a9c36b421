import numpy as np
import pytest

from mmvseg.analysis.bootstrap import Difference
from mmvseg.analysis.comparison_sentence import sentence
from mmvseg.analysis.tube_kinds import KINDS


def differs(low, middle, high, lower_is_better=False):
    return Difference(0.3, 0.3 + middle, low, high, 0.5, lower_is_better)


SAME = differs(-0.01, 0, 0.01)
BETTER, WORSE = differs(0.009, 0.026, 0.041), differs(-0.041, -0.026, -0.009)


def told(ap, gains=(), alone=(), **main):
    numbers = dict(AP=ap, DetA=SAME, AssA=SAME, IDSW=SAME) | main
    in_order, alone = (dict.fromkeys(KINDS, SAME) | dict(part) for part in (gains, alone))
    return sentence(numbers, in_order, alone, 100, 12, 4)


def gain(change, unclear=0):
    """A gain that is so much larger in B; less of it is better."""
    return differs(change - 0.001 - unclear, change, change + 0.001 + unclear, lower_is_better=True)


def test_most_of_a_gain():
    text = told(
        BETTER,
        dict(association=gain(-0.02), mask=gain(-0.004), false=gain(0.03)),
        AssA=differs(0.01, 0.031, 0.05),
        IDSW=Difference(50, 20, -40, -20, 1.0, lower_is_better=True),
    )
    assert text == (
        'B is better by 2.6 AP (95 % interval 0.9 to 4.1 over 100 videos); most of it is '
        'association (2.0 points); clear in tracking: AssA +3.1, id switches -30; '
        'objects gained 12, lost 4.'
    )


def test_the_largest_part_of_a_loss():
    text = told(WORSE, dict(mask=gain(0.01), missed=gain(0.005), false=gain(-0.03)))
    assert text == (
        'B is worse by 2.6 AP (95 % interval 0.9 to 4.1 over 100 videos); the largest clear part '
        'is poor masks (1.0 points); objects gained 12, lost 4.'
    )


def test_a_cause_that_is_not_clear_is_none():
    text = told(BETTER, dict(mask=gain(-0.02, unclear=0.03)))
    assert '; no kind of error clearly accounts for it; objects gained' in text


@pytest.mark.parametrize('kind', KINDS)
def test_all_kinds_have_words(kind):
    assert '(2.0 points)' in told(BETTER, {kind: gain(-0.02)})


def test_errors_that_cancel_out_are_told_where_ap_does_not_differ():
    errors = dict(missed=gain(0.017), association=gain(-0.02), false=gain(0.003))
    text = told(SAME, alone=errors)
    assert '; clear in what mending would gain: association -2.0, missed objects +1.7; ' in text
    assert 'mending' not in told(BETTER, dict(association=gain(-0.02)), alone=errors)


def test_no_clear_difference_has_no_cause():
    text = told(
        differs(-0.01, 0.004, 0.018),
        dict(mask=gain(-0.02)),
        DetA=differs(-0.03, -0.02, -0.01),
    )
    assert text == (
        'There is no clear difference: B - A is +0.4 AP (95 % interval -1.0 to 1.8 over 100 '
        'videos); clear in tracking: DetA -2.0; objects gained 12, lost 4.'
    )


def test_too_few_videos():
    text = told(Difference(0.3, 0.2, np.nan, np.nan, np.nan))
    assert text.startswith('B - A is -10.0 AP; the videos with objects are too few')
