import json

import numpy as np
import pytest
import youtube_vis_content
from helpers import reference_dir
from track_scenes import content, entries

from mmvseg.analysis.track_analysis import Selection, analyze_tracks
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.ground_truth import to_ground_truth
from mmvseg.evaluation.functional.youtube_vis_ap import evaluate_youtube_vis
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

HOTA = reference_dir() / 'eval' / 'hota'
AP = reference_dir() / 'eval' / 'ytvis_ap'
CASES = ['id_switch', 'missed_false', 'shrunken', 'ties', 'wrong_class']
ALL = Selection()
SELECTIONS = {
    'youtube_vis': Selection(),
    'youtube_vis_score_at_least_half': Selection(min_score=0.5),
    'class_agnostic': Selection(class_agnostic=True),
}


def analyzed(folder, selection=ALL):
    truth, results = read_youtube_vis(folder / 'gt.json'), read_results(folder / 'results.json')
    return analyze_tracks(truth, results, 'results', selection).numbers()


def of_scene(objects, tracks, scores, selection=ALL, **options):
    truth = content(entries(objects), [len(objects[0])], **options)
    results = [e | dict(score=s) for e, s in zip(entries(tracks), scores, strict=True)]
    return analyze_tracks(
        youtube_vis_content.records(truth),
        youtube_vis_content.results(results),
        'results',
        selection,
    ).numbers()


def flat(numbers, path=()):
    """Numbers of nested dictionaries by path."""
    if isinstance(numbers, dict):
        return {k: v for key, sub in numbers.items() for k, v in flat(sub, (*path, key)).items()}
    return {path: numbers}


@pytest.mark.parametrize('block', SELECTIONS)
@pytest.mark.parametrize('case', CASES)
def test_tracking_is_that_of_the_reference(case, block):
    expected = flat(json.loads((HOTA / case / 'expected.json').read_text())[block])
    got = flat(analyzed(HOTA / case, SELECTIONS[block])['hota'])
    assert got.keys() == expected.keys()
    for path, value in expected.items():
        np.testing.assert_allclose(got[path], value, rtol=0, atol=1e-9, err_msg=str(path))


def test_ap_is_the_official_one():
    got = analyzed(AP / 'normal')
    expected = json.loads((AP / 'normal' / 'expected.json').read_text())['stats']
    classes = got['ap'].pop('per_class')
    assert list(got['ap']) == list(expected)
    np.testing.assert_allclose([*got['ap'].values()], [*expected.values()], rtol=0, atol=1e-9)
    assert got['oracles']['predicted']['AP'] == pytest.approx(expected['AP'], abs=1e-9)
    truth = to_ground_truth(read_youtube_vis(AP / 'normal' / 'gt.json'))
    result = evaluate_youtube_vis(truth, read_results(AP / 'normal' / 'results.json'), 'results')
    names = [*truth.categories.values()]
    assert classes == dict(zip(names, result.per_category().values(), strict=True))


def test_what_a_report_holds():
    numbers = of_scene(['aaaa', 'bbbb'], ['aaaa', 'cccc'], [0.9, 0.4])
    assert list(numbers) == [
        *('ground_truth', 'results', 'options', 'summary', 'ap', 'hota', 'oracles', 'curves'),
        *('errors', 'groups', 'first_detection', 'confusion', 'calibration', 'worst', 'videos'),
    ]
    assert numbers['options'] == dict(min_score=None, class_agnostic=False)
    assert numbers['errors'] == dict(
        wrong_tracks=dict(association=0, mask=0, extent=0, duplicate=0, false=1) | {'class': 0},
        right_tracks=1,
        missed_objects=1,
        objects=2,
    )
    assert {entry['kind'] for entry in numbers['worst']} == {'missed', 'false'}
    assert [video['name'] for video in numbers['videos']] == ['video_1']
    json.dumps(numbers)


def test_results_below_the_least_score_are_in_no_number():
    cut = of_scene(['aaaa', 'bbbb'], ['aaaa', 'cccc'], [0.9, 0.4], Selection(min_score=0.4))
    assert cut['errors']['wrong_tracks']['false'] == 1
    cut = of_scene(['aaaa', 'bbbb'], ['aaaa', 'cccc'], [0.9, 0.4], Selection(min_score=0.41))
    assert cut['errors']['wrong_tracks']['false'] == 0
    whole = of_scene(['aaaa', 'bbbb'], ['aaaa'], [0.9])
    for part in ('ap', 'hota', 'oracles', 'groups', 'calibration', 'worst', 'curves'):
        assert cut[part] == whole[part]


def test_of_one_class_nothing_is_of_a_wrong_class():
    folder = HOTA / 'wrong_class'
    assert analyzed(folder)['summary']['main_loss'] == 'class'
    numbers = analyzed(folder, Selection(class_agnostic=True))
    assert list(numbers['ap']['per_class']) == ['object']
    assert numbers['errors']['wrong_tracks']['class'] == 0
    assert numbers['confusion']['rows'] == ['object', 'nothing']


def test_without_results_there_is_nothing_to_analyze():
    with pytest.raises(UserError, match=r'none of the 1 results .* best has 0.9. Lower'):
        of_scene(['aaaa'], ['aaaa'], [0.9], Selection(min_score=0.95))
    with pytest.raises(UserError, match='holds no predictions'):
        of_scene(['aaaa'], [], [])
