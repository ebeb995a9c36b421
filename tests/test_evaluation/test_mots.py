import pytest
from track_scenes import content, entries, evaluate

from mmvseg.errors import UserError


def counts(objects, results, lengths, num_categories=1):
    """True and false masks by class, by the rules of MOTS and without."""
    truth = content(objects, lengths, num_categories)
    found = []
    for mots in (True, False):
        classes = evaluate(truth, results, mots=mots).overall()
        names = [f'class_{c}' for c in range(1, num_categories + 1)]
        clear = [classes[name]['CLEAR'] for name in names]
        found.append([(c['CLR_TP'], c['CLR_FN'], c['CLR_FP']) for c in clear])
    return found


@pytest.mark.parametrize(
    ('scores', 'false'),
    [((0.9, 0.5), 0), ((0.5, 0.5), 0), ((0.5, 0.9), 1)],
)
def test_the_higher_score_keeps_the_pixels_then_the_earlier_entry(scores, false):
    # The second result lies within the first, and is cut to nothing if it comes after it.
    results = [entries([t], score=s)[0] for t, s in zip(('2', 'a'), scores, strict=True)]
    with_rules, without = counts(entries(['2']), results, [1])
    assert with_rules == [(1, 0, false)]
    assert without == [(1, 0, 1)]


def test_a_mask_is_cut_not_dropped():
    # What is left of the first is the place of b.
    results = entries(['2'], score=0.5) + entries(['a'], score=0.9)
    with_rules, _ = counts(entries(['b']), results, [1])
    assert with_rules == [(1, 0, 1)]
    truth = content(entries(['b']), [1])
    assert evaluate(truth, results, mots=True).overall()['class_1']['CLEAR']['MOTP'] == 1


def test_classes_share_the_pixels():
    results = entries(['a'], score=0.5) + entries(['a'], score=0.9, category_id=2)
    with_rules, without = counts(entries(['a']), results, [1], num_categories=2)
    assert with_rules == [(0, 1, 0), (0, 0, 1)]
    assert without == [(1, 0, 0), (0, 0, 1)]


def test_what_lies_in_a_crowd_counts_for_nothing():
    crowd = entries(['.b'], iscrowd=1)
    with_rules, without = counts(entries(['aa']) + crowd, entries(['aa', 'bb']), [2])
    assert with_rules == [(2, 0, 1)]  # in the first frame there is no crowd
    assert without == [(3, 0, 1)]


@pytest.mark.parametrize(('track', 'false'), [('b', 0), ('2', 1), ('c', 1), ('3', 0)])
def test_more_than_half_of_a_result_must_lie_in_the_crowd(track, false):
    crowd = entries(['b'], iscrowd=1)
    with_rules, _ = counts(entries(['d']) + crowd, entries([track, 'd']), [1])
    assert with_rules == [(1, 0, false)]


def test_a_crowd_of_one_class_excuses_the_others_and_gives_way_to_objects():
    crowd = entries(['2'], iscrowd=1, category_id=2)
    results = entries(['b']) + entries(['a'], score=0.5)
    with_rules, _ = counts(entries(['a']) + crowd, results, [1], num_categories=2)
    assert with_rules == [(1, 0, 0), (0, 0, 0)]
    # On the object itself nothing is excused, of whatever class.
    with_rules, _ = counts(
        entries(['a']) + crowd, entries(['a'], category_id=2), [1], num_categories=2
    )
    assert with_rules == [(0, 1, 0), (0, 0, 1)]


def test_a_matched_result_is_never_ignored():
    # Of a match at most half lies in a crowd, since the object's own pixels are none.
    crowd = entries(['2'], iscrowd=1)
    with_rules, _ = counts(entries(['a']) + crowd, entries(['2']), [1])
    assert with_rules == [(1, 0, 0)]


def test_overlapping_objects_are_refused():
    truth = content(entries(['ab', 'cb']), [2])
    with pytest.raises(UserError, match='gt: video 1, frame 1: objects overlap'):
        evaluate(truth, entries(['ab']), mots=True)
    evaluate(truth, entries(['ab']))


def test_crowds_need_no_note_where_they_are_ignored():
    truth = content(entries(['a'], iscrowd=1), [1])
    assert not evaluate(truth, entries(['a']), mots=True).notes
    assert evaluate(truth, entries(['a'])).notes
