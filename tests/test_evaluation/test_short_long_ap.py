"""AP of YouTube-VIS 2022: two evaluations of one list of results."""

import pytest
import youtube_vis_content
from track_scenes import content, entries

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.short_long_ap import ShortLongAP, evaluate_short_long


def results_of(*found):
    entries_ = [dict(score=1.0) | entry for part in found for entry in part]
    return youtube_vis_content.results(entries_)


def truth(annotations, video, name, num_categories=3):
    """Ground truth of one of the videos."""
    whole = content(annotations, [2, 2, 2], num_categories)
    whole['videos'] = [v for v in whole['videos'] if v['id'] == video]
    return youtube_vis_content.ground_truth(whole, name)


SHORT = entries(['aa'])
LONG = entries(['aa'], video_id=2) + entries(['bb'], video_id=2, category_id=2)
HIT = results_of(entries(['aa']), entries(['aa'], video_id=2))


def both():
    return dict(short=truth(SHORT, 1, 'gt_short'), long=truth(LONG, 2, 'gt_long'))


def test_plain_mean_of_two_independent_evaluations():
    result = evaluate_short_long(both(), HIT, 'results')
    stats = result.stats()
    # Class 2 has no ground truth among the short videos, and is left out of their mean alone.
    assert (stats['short_AP'], stats['long_AP'], stats['AP']) == pytest.approx((1.0, 0.5, 0.75))
    assert list(stats) == ShortLongAP.number_names()
    assert (stats['short_AR10'], stats['long_AR10']) == pytest.approx((1.0, 0.5))
    assert result.notes == []


def test_results_of_a_class_without_ground_truth_in_a_split_do_not_count_there():
    of_class_2 = results_of(
        entries(['bb'], category_id=2), entries(['bb'], video_id=2, category_id=2)
    )
    stats = evaluate_short_long(both(), [*HIT, *of_class_2], 'results').stats()
    assert (stats['short_AP'], stats['long_AP']) == pytest.approx((1.0, 1.0))


def test_the_numbers_of_a_split_are_those_of_its_file_alone():
    own = entries(['aa'], video_id=2, score=1.0)
    expected = youtube_vis_content.evaluate(truth(LONG, 2, 'gt_long'), own).stats()
    stats = evaluate_short_long(both(), HIT, 'results').stats()
    assert {name: stats[f'long_{name}'] for name in expected} == expected


def test_a_split_without_results_counts_as_0():
    result = evaluate_short_long(both(), results_of(entries(['aa'])), 'results')
    stats = result.stats()
    assert (stats['short_AP'], stats['long_AP'], stats['AP']) == pytest.approx((1.0, 0.0, 0.5))
    assert result.notes == ['results: nothing was predicted in long videos, whose AP is 0']


def test_one_ground_truth_gives_its_numbers_and_no_mean():
    truths = dict(long=both()['long'])
    result = evaluate_short_long(truths, HIT, 'results')
    assert 'AP' not in result.stats()
    assert all(name.startswith('long_') for name in result.stats())
    assert result.stats()['long_AP'] == pytest.approx(0.5)
    (note,) = result.notes
    assert note.startswith('there is a ground truth of the long videos alone, so there is no mean')
    assert '1 entry of other videos in results' in note


def test_a_split_without_annotations_leaves_no_mean():
    truths = both() | dict(short=truth([], 1, 'gt_short'))
    result = evaluate_short_long(truths, HIT, 'results')
    assert 'AP' not in result.stats()
    assert result.stats()['short_AP'] == -1
    assert result.notes == ['gt_short has no annotations, so there is no AP of short videos']


def test_videos_that_no_ground_truth_has():
    stray = results_of(entries(['aa'], video_id=3))
    with pytest.raises(UserError, match='entry 0: video_id 3 is not in gt_short nor in gt_long'):
        evaluate_short_long(both(), stray, 'results')
    with pytest.raises(UserError, match='video_id 3 is not in gt_long; are the'):
        evaluate_short_long(dict(long=both()['long']), stray, 'results')
    with pytest.raises(UserError, match='holds no predictions'):
        evaluate_short_long(both(), [], 'results')


def test_tables():
    tables = evaluate_short_long(both(), HIT, 'results').tables()
    rows = [[cell.strip() for cell in line.split('|')[1:-1]] for line in tables.splitlines()]
    assert ['class_1', '100.0', '100.0'] in rows
    assert ['class_2', '-', '0.0'] in rows
    assert ['AP', '100.0', '50.0', '75.0'] in rows
    assert ['AP50', '100.0', '50.0', '-'] in rows
