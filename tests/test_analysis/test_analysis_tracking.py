"""The counts are those of the evaluation, to the last digit."""

import helpers
import pytest
from analysis_scenes import videos_of
from track_scenes import content, entries, evaluate

from mmvseg.analysis.tracking import TrackingCounts
from mmvseg.analysis.video_analysis import analyzed_videos
from mmvseg.evaluation.functional.tracking import evaluate_tracking
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

CASES = sorted((helpers.reference_dir() / 'eval' / 'hota').glob('*/results.json'))


def counted(videos, categories, notes):
    counts = TrackingCounts(categories)
    for video in videos:
        counts.add(video.overlap)
    return counts.result(notes)


def test_scenes():
    objects = entries(['aa.a', 'bbbb']) + entries(['cc'], video_id=2, category_id=2)
    results = entries(['AA.b', 'bb0a', '2..2']) + entries(['cc', '.d'], video_id=2, category_id=2)
    truth = content(objects, [4, 2, 3], num_categories=3)
    names = {c['id']: c['name'] for c in truth['categories']}
    expected = evaluate(truth, results)
    found = counted(videos_of(truth, results), names, expected.notes)
    assert found.numbers() == expected.numbers()


@pytest.mark.parametrize('path', CASES, ids=lambda path: path.parent.name)
def test_recorded_cases(path):
    truth, results = read_youtube_vis(path.parent / 'gt.json'), read_results(path)
    expected = evaluate_tracking(truth, results, 'results')
    names = {category.id: category.name for category in truth.categories}
    found = counted(analyzed_videos(truth, results, 'results'), names, expected.notes)
    assert found.numbers() == expected.numbers()
