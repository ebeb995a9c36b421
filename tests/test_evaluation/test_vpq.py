import json

import helpers
import numpy as np
import panoptic_oracle
import pytest
from hypothesis import given, settings
from panoptic_files import CATEGORIES, listed, segment, videos, write_predictions, write_truth

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.vpq import GROUPS, SCRIPT_WINDOWS, WINDOWS, evaluate_vpq
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import find_ground_truth, load_results

CASES = sorted((helpers.reference_dir() / 'eval' / 'vpq').iterdir())


def evaluate(folder, windows=WINDOWS):
    path = find_ground_truth(folder / 'gt')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    return evaluate_vpq(truth, load_results(folder / 'pred', truth), windows)


def evaluate_frames(folder, truth, pred, windows=(1,)):
    """Of one video; frames are (ids, segments)."""
    write_truth(folder / 'gt', dict(video=truth))
    write_predictions(folder / 'pred', dict(video=pred))
    return evaluate(folder, windows)


@pytest.mark.parametrize('case', CASES, ids=lambda path: path.name)
def test_numbers_are_the_official_ones(case):
    expected = json.loads((case / 'expected.json').read_text())
    result = evaluate(case, SCRIPT_WINDOWS)
    for group in GROUPS:
        for k, percent in expected['vpq_percent'][group].items():
            assert 100 * result.quality(int(k), group) == pytest.approx(percent, abs=1e-9)
        paper, script = expected['average_percent'][group].values()
        assert 100 * result.mean(WINDOWS, group) == pytest.approx(paper, abs=1e-9)
        assert 100 * result.mean(SCRIPT_WINDOWS, group) == pytest.approx(script, abs=1e-9)
    for k, entry in expected['per_k'].items():
        for label, category in enumerate(result.categories):
            numbers = entry['per_class'][str(category.id)]
            sums = [numbers[key] for key in ('iou', 'tp', 'fp', 'fn')]
            assert result.sums[int(k)][label] == pytest.approx(sums, abs=1e-9)


@given(videos())
@settings(max_examples=40, deadline=None)
def test_equals_the_definition_on_random_videos(tmp_path_factory, frames):
    truth, pred = frames
    result = evaluate_frames(tmp_path_factory.mktemp('vpq'), truth, pred, (1, 2, 4))
    for k in (1, 2, 4):
        expected = panoptic_oracle.vpq_sums(truth, pred, k)
        for category, sums in zip(result.categories, result.sums[k], strict=True):
            wanted = expected.get(category.id, [0, 0, 0, 0])
            assert sums == pytest.approx(wanted, abs=1e-9), (k, category)


def test_a_match_needs_more_than_half(tmp_path):
    truth = np.full((1, 9), 1)
    for width, quality in ((4, 0.0), (5, 5 / 9)):
        pred = np.where(np.arange(9) < width, 1, 0)[None]
        result = evaluate_frames(
            tmp_path, [(truth, listed(truth, {1: 7}))], [(pred, listed(pred, {1: 7}))]
        )
        assert result.quality(1) == pytest.approx(quality)
    half = np.array([[1, 1, 0, 0]])
    whole = np.full((1, 4), 1)
    result = evaluate_frames(
        tmp_path, [(whole, listed(whole, {1: 7}))], [(half, listed(half, {1: 7}))]
    )
    assert result.sums[1][[c.id for c in result.categories].index(7)].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(('listing', 'false_positives'), [((1, 2), 0), ((2, 1), 1)])
def test_only_the_last_crowd_of_a_class_excuses(tmp_path, listing, false_positives):
    truth = np.array([[1, 2, 2, 2]])
    crowds = {entry['id']: entry for entry in listed(truth, {1: 7, 2: 7}, crowds=(1, 2))}
    pred = np.full((1, 4), 3)
    result = evaluate_frames(
        tmp_path,
        [(truth, [crowds[i] for i in listing])],
        [(pred, listed(pred, {3: 7}))],
    )
    assert result.sums[1].sum(axis=0).tolist() == [0, 0, false_positives, 0]


def test_a_group_without_classes_is_undefined_and_said(tmp_path):
    ids = np.full((2, 2), 1)
    frames = [(ids, listed(ids, {1: 0}))] * 3
    result = evaluate_frames(tmp_path, frames, frames, WINDOWS)
    assert result.quality(2, 'All') == result.quality(2, 'Stuff') == 1.0
    assert np.isnan(result.quality(2, 'Things'))
    assert np.isnan(result.quality(4))  # no video has four frames
    assert np.isnan(result.mean())
    assert result.mean((1, 2)) == 1.0
    notes = result.notes()
    assert notes[0].startswith('VPQ of Things with windows of 1 frame is undefined')
    assert len(notes) == 8
    assert np.isnan(result.per_class(1)).tolist() == [c['id'] != 0 for c in sorted_categories()]


def sorted_categories():
    return sorted(CATEGORIES, key=lambda category: category['id'])


def test_void_frames_count_nothing(tmp_path):
    void = (np.zeros((2, 2), int), [])
    pred = np.full((2, 2), 3)
    result = evaluate_frames(tmp_path, [void] * 2, [(pred, listed(pred, {3: 7}))] * 2, (1, 2))
    assert not np.any([*result.sums.values()])


def test_areas_that_the_masks_exceed_are_refused(tmp_path):
    ids = np.full((2, 2), 1)
    with pytest.raises(UserError, match=r"gt_val\.json: video video: the field 'area'.*smaller"):
        evaluate_frames(tmp_path, [(ids, [segment(1, 7, area=3)])], [(ids, listed(ids, {1: 7}))])
