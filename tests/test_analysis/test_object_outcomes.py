import pytest
from analysis_scenes import analyze, videos_of
from track_scenes import content, entries

from mmvseg.analysis.object_outcomes import ObjectOutcome, object_outcomes

#: objects, tracks, categories of the tracks, what becomes of each object
SCENES = dict(
    right=(['aaaa', 'bbbb'], ['aaaa', 'bbbb'], (), ['', '']),
    right_and_twice=(['aaaa'], ['aaaa', 'aaaa'], (), ['']),
    switch=(['aaaaaaaa', 'bbbbbbbb'], ['aaaabbbb', 'bbbbaaaa'], (), ['association'] * 2),
    # AP takes the last of equals; the other object has no track of its own.
    merged=(['aaaa....', '....bbbb'], ['aaaabbbb'], (), ['association', '']),
    class_=(['aaaa'], ['aaaa'], (2,), ['class']),
    mask=(['aaaa', 'bbbb'], ['AAAA', '33..'], (), ['', 'extent']),
    short=(['aaaaaaaa'], ['aaa.....'], (), ['extent']),
    missed=(['aaaa', 'bbbb'], ['aaaa'], (), ['', 'missed']),
    # Of two tracks on an object, the one that fits it better says what is wrong.
    class_and_short=(['aaaaaaaa'], ['aaa.....', 'aaaaaaaa'], (1, 2), ['class']),
)


@pytest.mark.parametrize('name', SCENES)
def test_one_object_one_outcome(name):
    objects, tracks, categories, kinds = SCENES[name]
    outcomes = object_outcomes(analyze(objects, tracks, categories, num_categories=2))
    assert [outcome.kind for outcome in outcomes] == kinds
    assert [outcome.found for outcome in outcomes] == [not kind for kind in kinds]


def test_what_an_outcome_says_and_that_crowds_have_none():
    truth = content(entries(['aaaa'], iscrowd=1) + entries(['bbbb']), [4])
    (video,) = videos_of(truth, entries(['dddd']))
    assert object_outcomes(video) == [ObjectOutcome(1, 1, 2, 'missed')]
