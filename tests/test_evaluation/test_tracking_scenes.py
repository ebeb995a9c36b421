"""Small scenes with one known error each."""

import numpy as np
import pytest
from track_scenes import numbers

from mmvseg.evaluation.functional.hota import THRESHOLDS

PERFECT = dict(
    HOTA=1, DetA=1, AssA=1, DetRe=1, DetPr=1, AssRe=1, AssPr=1, LocA=1, OWTA=1, MOTA=1, MOTP=1
) | dict(MODA=1, sMOTA=1, MOTAL=1, CLR_F1=1, IDF1=1, IDR=1, IDP=1, MTR=1, PTR=0, MLR=0)
ERRORS = dict(CLR_FN=0, CLR_FP=0, IDSW=0, Frag=0, ML=0, PT=0, IDFN=0, IDFP=0, FP_per_frame=0)


def fields(objects, tracks):
    """All fields that are one number."""
    found = numbers(objects, tracks)
    return found['CLEAR'] | found['Identity'] | found['Count'] | found['mean_over_alpha']


def assert_fields(objects, tracks, **changed):
    """The numbers are those of perfect results but for the changed ones."""
    got = fields(objects, tracks)
    expected = PERFECT | ERRORS | changed
    assert {name: got[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_perfect_results():
    assert_fields(['aaaa', 'b..b', '.cc.'], ['aaaa', 'b..b', '.cc.'], Frag=1)
    assert_fields(['aaaa', 'bbbb'], ['bbbb', 'aaaa'])


def test_one_switch():
    half = dict(AssA=0.5, AssRe=0.5, AssPr=1, IDF1=0.5, IDR=0.5, IDP=0.5, IDFN=2, IDFP=2)
    root = 0.5**0.5
    assert_fields(
        *(['aaaa'], ['aa..', '..aa']),
        **half,
        **dict(HOTA=root, OWTA=root, IDSW=1, MOTA=0.75, sMOTA=0.75),
    )


def test_two_objects_exchange_their_tracks():
    got = fields(['aaaa', 'bbbb'], ['aabb', 'bbaa'])
    assert got['IDSW'] == 2
    assert got['AssA'] == pytest.approx(1 / 3)  # 2 frames in common of 6
    assert (got['DetA'], got['IDF1'], got['MOTA']) == (1, 0.5, 0.75)
    assert got['MOTAL'] == pytest.approx((8 - np.log10(2)) / 8)


def test_one_gap():
    got = fields(['aaaa', 'bbbb'], ['a.aa', 'bbbb'])
    assert (got['CLR_FN'], got['IDFN'], got['Frag'], got['IDSW'], got['CLR_FP']) == (1, 1, 1, 0, 0)
    assert (got['MT'], got['PT'], got['ML']) == (1, 1, 0)
    assert got['DetA'] == got['MOTA'] == 7 / 8
    assert got['AssA'] == pytest.approx((3 * 3 / 4 + 4) / 7)


def test_a_gap_of_all_tracks_at_once_is_no_fragmentation():
    assert fields(['aaaa'], ['a.aa'])['Frag'] == 0


def test_a_false_track():
    assert_fields(
        *(['aaaa'], ['aaaa', 'bbbb']),
        **dict(CLR_FP=4, IDFP=4, FP_per_frame=1, MOTA=0, MODA=0, sMOTA=0, MOTAL=0),
        **dict(DetA=0.5, DetPr=0.5, HOTA=0.5**0.5, CLR_F1=4 / 6, IDF1=4 / 6, IDP=0.5),
    )


def test_a_missed_object():
    assert_fields(
        *(['aaaa', 'bbbb'], ['aaaa']),
        **dict(CLR_FN=4, IDFN=4, ML=1, MTR=0.5, MLR=0.5, MOTA=0.5, MODA=0.5, sMOTA=0.5, MOTAL=0.5),
        **dict(
            DetA=0.5, DetRe=0.5, HOTA=0.5**0.5, OWTA=0.5**0.5, CLR_F1=4 / 6, IDF1=4 / 6, IDR=0.5
        ),
    )


def test_an_object_found_twice_is_false_in_every_frame():
    assert fields(['aaaa'], ['aaaa', 'aaaa'])['CLR_FP'] == 4


def test_poor_masks_are_found_at_low_thresholds_only():
    found = numbers(['aaaa'], ['AAAA'])
    low = THRESHOLDS < 0.76
    assert low.sum() == 15  # 0.75 is on the threshold: it counts
    for name in ('HOTA', 'DetA', 'AssA'):
        np.testing.assert_allclose(found['HOTA'][name], low)
    np.testing.assert_allclose(found['HOTA']['LocA'], np.where(low, 0.75, 1))
    assert (found['HOTA']['LocA(0)'], found['HOTA']['HOTALocA(0)']) == (0.75, 0.75)
    assert (found['CLEAR']['MOTA'], found['CLEAR']['MOTP'], found['CLEAR']['sMOTA']) == (
        1,
        0.75,
        0.75,
    )


def test_half_an_overlap_is_a_match():
    assert fields(['a'], ['2'])['CLR_TP'] == 1
    assert fields(['a'], ['2'])['IDTP'] == 1
    assert numbers(['a'], ['2'])['HOTA']['HOTA_TP'] == [1.0] * 10 + [0.0] * 9


def test_hota_assigns_once_for_all_thresholds():
    # In the last frame the second track overlaps more, but the first goes with the object.
    found = numbers(['aaaa'], ['AAAA', '...a'])['HOTA']
    assert found['HOTA_TP'] == [4.0] * 15 + [0.0] * 4


@pytest.mark.parametrize(
    ('objects', 'tracks', 'switches'),
    [
        (['aa'], ['AA', '.a'], 0),  # the track of the frame before is kept
        (['a.a'], ['A.A', '..a'], 0),  # also over a frame without anything
        (['aaa'], ['A.A', '..a'], 0),  # or without tracks
        (['aaa'], ['A.A', '..a', '.d.'], 1),  # not over a frame where the object is unmatched
        (['aaa'], ['a..', '.d.', '..a'], 1),  # a switch counts however long ago the match was
    ],
)
def test_memory_of_clear(objects, tracks, switches):
    assert fields(objects, tracks)['IDSW'] == switches


@pytest.mark.parametrize(
    ('track', 'kind'), [('aaaa.', 'PT'), ('aaaaa', 'MT'), ('a....', 'PT'), ('.....', 'ML')]
)
def test_bounds_of_mostly_tracked_and_lost(track, kind):
    got = fields(['aaaaa', 'bbbbb'], [track, 'bbbbb'])
    assert got[kind] == (2 if kind == 'MT' else 1)


def test_one_track_stands_for_one_object():
    # 4 frames of the first object are worth more than 2 and 2 of the others.
    got = fields(['aaaa....', '....bb..', '......cc'], ['aaaabbcc'])
    assert (got['IDTP'], got['IDFN'], got['IDFP']) == (4, 4, 4)


def test_hota_is_the_mean_of_finding_and_following_at_each_threshold():
    values = numbers(['aaaa', 'bb.b', '.ccc'], ['AAbb', 'bbaa', '.CC.', 'd.d.'])['HOTA']
    product = np.multiply(values['DetA'], values['AssA'])
    np.testing.assert_allclose(np.square(values['HOTA']), product, atol=1e-12)
    np.testing.assert_allclose(
        np.square(values['OWTA']), np.multiply(values['DetRe'], values['AssA']), atol=1e-12
    )
    assert 0 < values['HOTA'][-1] < values['HOTA'][0] < 1


def test_masks_without_pixels_are_masks():
    got = fields(['aa0', 'bbb'], ['aa0', 'bbb'])
    assert (got['Dets'], got['GT_Dets'], got['CLR_FN'], got['CLR_FP']) == (6, 6, 1, 1)
    assert (got['IDFN'], got['IDFP']) == (1, 1)
    got = fields(['aa.', 'bbb'], ['aa.', 'bbb'])
    assert (got['Dets'], got['GT_Dets'], got['CLR_FN'], got['CLR_FP']) == (5, 5, 0, 0)


def test_what_is_absent_in_all_frames_does_not_count():
    assert fields(['aa', '..'], ['..', 'aa', '..']) == fields(['aa'], ['aa'])
