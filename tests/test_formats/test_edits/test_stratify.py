"""Videos are chosen so that classes keep their shares, the same ones everywhere and always."""

import subprocess
import sys
from fractions import Fraction

from helpers import REPOSITORY
from hypothesis import given, settings
from hypothesis import strategies as st

from mmvseg.formats.edits.stratify import choose_videos

#: 40 videos: three classes in turn, one in every fifth, no objects in every seventh.
OBJECTS = {
    v: {1 + v % 3: 1 + v % 2, **({4: 1} if v % 5 == 0 else {})} if v % 7 else {}
    for v in range(1, 41)
}
CHOICES = {
    0: [1, 6, 17, 25, 35, 36, 38, 39],
    1: [1, 3, 19, 20, 32, 35, 38, 39],
    -3: [1, 6, 9, 14, 18, 23, 25, 32],
}


def shares(objects, chosen):
    """The share of the objects of each class that is in the chosen videos."""
    totals, inside = {}, {}
    for video, counts in objects.items():
        for category, number in (counts or {'none': 1}).items():
            totals[category] = totals.get(category, 0) + number
            inside[category] = inside.get(category, 0) + number * (video in chosen)
    return {category: Fraction(inside[category], totals[category]) for category in totals}


def deviation(objects, chosen):
    wanted = Fraction(len(chosen), len(objects))
    return sum(abs(share - wanted) for share in shares(objects, chosen).values())


def test_choices_never_change():
    """Others measure on these videos: a new version must choose the same."""
    for seed, expected in CHOICES.items():
        assert sorted(choose_videos(OBJECTS, 8, seed)) == expected


def test_neither_the_order_of_the_file_nor_that_of_hashes_matters():
    turned = {
        v: dict(reversed(OBJECTS[v].items())) for v in sorted(OBJECTS, key=lambda v: v * 7 % 41)
    }
    assert sorted(choose_videos(turned, 8, 0)) == CHOICES[0]
    code = 'from test_stratify import *\nprint(sorted(choose_videos(OBJECTS, 8, 0)) == CHOICES[0])'
    folders = ':'.join(
        map(str, (REPOSITORY, REPOSITORY / 'tests', REPOSITORY / 'tests/test_formats/test_edits'))
    )
    ended = subprocess.run(
        [sys.executable, '-c', code],
        env=dict(PYTHONHASHSEED='7', PYTHONPATH=folders),
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == 'True\n'


def test_each_class_has_its_share():
    for seed in range(10):
        chosen = choose_videos(OBJECTS, 8, seed)
        assert len(chosen) == 8
        assert all(
            abs(share - Fraction(1, 5)) < Fraction(1, 15)
            for share in shares(OBJECTS, chosen).values()
        )
    assert len({frozenset(choose_videos(OBJECTS, 8, seed)) for seed in range(10)}) > 5


def test_videos_without_objects_have_their_share():
    objects = {v: {1: 1} if v <= 50 else {} for v in range(100)}
    chosen = choose_videos(objects, 10, 0)
    assert sum(not objects[v] for v in chosen) in (4, 5)
    assert len(choose_videos({v: {} for v in range(9)}, 3, 0)) == 3


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.integers(1, 4), st.integers(1, 5), max_size=3), min_size=2, max_size=9
    ),
    st.data(),
)
def test_no_exchange_of_two_videos_makes_it_more_even(counts, data):
    objects = dict(enumerate(counts, 5))
    number = data.draw(st.integers(1, len(objects) - 1))
    chosen = choose_videos(objects, number, data.draw(st.integers(-2, 2)))
    assert len(chosen) == number
    reached = deviation(objects, chosen)
    others = set(objects) - chosen
    exchanged = [deviation(objects, chosen - {a} | {b}) for a in chosen for b in others]
    assert reached <= min(exchanged) + Fraction(1, 10**5)  # shares are compared in millionths
