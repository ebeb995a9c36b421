"""Curves of precision, against counts by hand and against AP."""

import json

import helpers
import numpy as np
import pytest
from analysis_scenes import scene
from youtube_vis_content import evaluate, ground_truth

from mmvseg.analysis.curves import precision_curves
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results


def curves(truth, results):
    scored = [dict(score=1.0 - 0.01 * i) | result for i, result in enumerate(results)]
    return precision_curves(evaluate(ground_truth(truth), scored))


def test_precision_falls_where_a_false_track_comes_first():
    # Right, false, right at 0.5; a track with three of four pixels (0.75) is right up to there.
    found = curves(*scene(['aaaa', 'bbbb'], ['aaaa', 'hhhh', 'BBBB']))
    assert found['recall'] == pytest.approx(np.linspace(0, 1, 101))
    half = [1.0] * 51
    expected = {
        '0.5': half + [2 / 3] * 50,
        '0.75': half + [2 / 3] * 50,
        'mean': half + [2 / 3 * 6 / 10] * 50,
    }
    assert found['all'] == {name: pytest.approx(values) for name, values in expected.items()}
    assert found['classes'] == dict(class_1=found['all'])


def test_thresholds_have_their_own_curves():
    found = curves(*scene(['aaaa'], ['aaa.', '....']))['all']
    assert (found['0.5'][0], found['0.75'][0]) == pytest.approx((1, 1))
    found = curves(*scene(['aaaaa'], ['aaa..']))['all']
    assert (found['0.5'][0], found['0.75'][0]) == pytest.approx((1, 0))


def test_classes_without_objects_are_none_and_not_in_the_mean():
    truth, results = scene(['aaaa', 'bbbb'], ['aaaa', 'cccc'], [1, 3], num_categories=3)
    truth['annotations'][1]['category_id'] = 2
    found = curves(truth, results)
    assert found['classes']['class_3'] is None
    assert found['classes']['class_1']['0.5'] == pytest.approx([1] * 101)
    assert found['classes']['class_2']['0.5'] == [0] * 101
    assert found['all']['0.5'] == pytest.approx([0.5] * 101)
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_without_objects_there_is_no_curve():
    truth, results = scene(['aaaa'], ['aaaa'])
    assert curves(truth | dict(annotations=[]), results)['all'] is None


def test_their_mean_is_ap():
    folder = helpers.reference_dir() / 'eval' / 'ytvis_ap' / 'normal'
    truth = to_ground_truth(read_youtube_vis(folder / 'gt.json'))
    result = evaluate_youtube_vis(truth, read_results(folder / 'results.json'), 'results')
    found, stats = precision_curves(result), result.stats()
    for curve, number in {'mean': 'AP', '0.5': 'AP50', '0.75': 'AP75'}.items():
        assert np.mean(found['all'][curve]) == pytest.approx(stats[number])
    for category_id, numbers in result.per_category().items():
        curve = found['classes'][result.categories[category_id]]
        assert np.mean(curve['mean']) == pytest.approx(numbers['AP'])
