import json

import helpers
import numpy as np
import panoptic_oracle
import pytest
from hypothesis import given, settings
from panoptic_files import CATEGORIES, listed, videos, write_predictions, write_truth

from mmvseg.evaluation.functional.panoptic_overlap import video_overlaps
from mmvseg.evaluation.functional.stq import VideoTubes, evaluate_stq
from mmvseg.formats.vipseg import read_vipseg
from mmvseg.formats.vipseg_results import find_ground_truth, load_results

CASES = sorted((helpers.reference_dir() / 'eval' / 'stq').iterdir())
THINGS = [category['id'] for category in CATEGORIES if category['isthing']]


def load(folder):
    path = find_ground_truth(folder / 'gt')
    truth = read_vipseg(path, path.parent / 'panomasksRGB')
    return truth, load_results(folder / 'pred', truth)


def evaluate_frames(folder, truth, pred):
    """Of videos; each a list of (ids, segments)."""
    names = [f'video_{i}' for i in range(len(truth))]
    write_truth(folder / 'gt', dict(zip(names, truth, strict=True)))
    write_predictions(folder / 'pred', dict(zip(names, pred, strict=True)))
    return evaluate_stq(*load(folder))


@pytest.mark.parametrize('case', CASES, ids=lambda path: path.name)
def test_numbers_are_the_official_ones(case):
    expected = json.loads((case / 'expected.json').read_text())
    truth, results = load(case)
    total = evaluate_stq(truth, results)
    for key, value in total.stats().items():
        assert value == pytest.approx(expected[key], abs=1e-9)
    recorded = expected['derived_from_official_confusion_matrix']
    ious = recorded['per_class (124 = void column)']
    got = {truth.classes[c].id if c >= 0 else 124: v for c, v in total.class_iou().items()}
    assert got == pytest.approx({int(c): v['iou'] for c, v in ious.items()}, abs=1e-9)
    for name, video in truth.annotated.items():
        tubes = VideoTubes(truth.classes)
        for frame in video_overlaps(video, results[name]):
            tubes.add(frame)
        entry = expected['per_sequence'][name]
        assert tubes.sums().num_tubes == entry['num_gt_tubes']
        for key, value in tubes.sums().stats().items():
            assert value == pytest.approx(entry[key], abs=1e-9)


@given(videos(), videos())
@settings(max_examples=30, deadline=None)
def test_equals_the_definition_on_random_videos(tmp_path_factory, first, second):
    result = evaluate_frames(
        tmp_path_factory.mktemp('stq'), [first[0], second[0]], [first[1], second[1]]
    )
    expected = panoptic_oracle.stq([first, second], THINGS)
    assert result.stats() == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_the_first_listed_segment_is_no_tube_if_it_is_a_thing(tmp_path):
    ids = np.array([[1, 1, 2, 2]])
    classes = {1: 7, 2: 2}
    frames = [(ids, listed(ids, classes))] * 2
    assert evaluate_frames(tmp_path, [frames], [frames]).num_tubes == 1
    after_stuff = [(ids, listed(ids, {1: 0, 2: 2}))] * 2
    assert evaluate_frames(tmp_path, [after_stuff], [after_stuff]).num_tubes == 1
    assert evaluate_frames(tmp_path, [frames], [frames]).stats() == dict(STQ=1.0, AQ=1.0, SQ=1.0)


def test_a_switched_id_halves_the_association(tmp_path):
    ids = np.array([[1, 1, 3, 3]])
    truth = [(ids, listed(ids, {1: 0, 3: 7}))] * 2
    switched = np.array([[1, 1, 4, 4]])
    pred = [truth[0], (switched, listed(switched, {1: 0, 4: 7}))]
    stats = evaluate_frames(tmp_path, [truth], [pred]).stats()
    assert stats == pytest.approx(dict(STQ=0.5**0.5, AQ=0.5, SQ=1.0))


def test_predicted_void_counts_as_a_class_without_overlap(tmp_path):
    ids = np.array([[1, 1, 1, 1]])
    partly = np.array([[1, 1, 1, 0]])
    truth, pred = [(ids, listed(ids, {1: 0}))], [(partly, listed(partly, {1: 0}))]
    assert evaluate_frames(tmp_path, [truth], [pred]).stats()['SQ'] == pytest.approx(0.75 / 2)


def test_undefined_numbers_are_said(tmp_path):
    void = [(np.zeros((2, 2), int), [])]
    result = evaluate_frames(tmp_path, [void], [void])
    assert np.isnan([result.stats()[key] for key in ('STQ', 'SQ')]).all()
    assert [note[:10] for note in result.notes()] == ['SQ and STQ', 'AQ is 0 si']
