import json
from dataclasses import replace

import helpers
import numpy as np
import pytest
import youtube_vis_content
from track_scenes import content, entries, evaluate, strip

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.tracking import evaluate_tracking
from mmvseg.evaluation.functional.tracking_numbers import mean_of_classes
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results

CASES = helpers.reference_dir() / 'eval' / 'hota'
NAMES = sorted(path.parent.name for path in CASES.glob('*/expected.json'))
BLOCKS = dict(
    youtube_vis=dict(),
    youtube_vis_score_at_least_half=dict(min_score=0.5),
    class_agnostic=dict(class_agnostic=True),
)


def read(name):
    return read_youtube_vis(CASES / name / 'gt.json'), read_results(CASES / name / 'results.json')


def recorded(name):
    return json.loads((CASES / name / 'expected.json').read_text())


def assert_same(got, expected, where=''):
    """Dictionaries of dictionaries of numbers and lists are the same to 1e-9."""
    if isinstance(expected, dict):
        assert got.keys() == expected.keys(), where
        for key in expected:
            assert_same(got[key], expected[key], f'{where}/{key}')
    else:
        np.testing.assert_allclose(got, expected, rtol=0, atol=1e-9, err_msg=where)


def test_there_are_recorded_cases():
    assert {'id_switch', 'missed_false', 'shrunken', 'ties', 'wrong_class'} <= set(NAMES)


@pytest.mark.parametrize('block', BLOCKS)
@pytest.mark.parametrize('name', NAMES)
def test_numbers_are_those_of_trackeval(name, block):
    result = evaluate_tracking(*read(name), name, **BLOCKS[block])
    assert_same(result.numbers(), recorded(name)[block])


@pytest.mark.parametrize('name', NAMES)
def test_numbers_are_those_of_trackeval_by_the_rules_of_mots(name):
    truth, results = read(name)
    truth = replace(truth, categories=truth.categories[:2])  # recorded as cars and pedestrians
    numbers = evaluate_tracking(truth, results, name, mots=True).numbers()
    expected = recorded(name)['kitti_mots']
    assert numbers.keys() == expected.keys()
    for sequence, classes in expected.items():
        got = {category: numbers[sequence][category] for category in classes}
        assert_same(got, classes, sequence)


@pytest.mark.parametrize('name', NAMES)
def test_the_order_of_objects_and_results_changes_no_number(name):
    truth, results = read(name)
    expected = evaluate_tracking(truth, results, name).numbers()
    truth = replace(truth, annotations=truth.annotations[::-1])
    assert_same(evaluate_tracking(truth, results[::-1], name).numbers(), expected)


def test_hota_is_computed_anew_from_sums_over_videos():
    # AssA 1/2 of 4 masks and 1 of 8: the mean of the videos would be 3/4.
    truth = content(entries(['aaaa']) + entries(['a' * 8], video_id=2), [4, 8])
    results = entries(['aa..', '..aa']) + entries(['a' * 8], video_id=2)
    result = evaluate(truth, results).numbers()
    assert result['video_1']['class_1']['mean_over_alpha']['AssA'] == pytest.approx(1 / 2)
    combined = result['COMBINED_SEQ']['class_1']['mean_over_alpha']
    assert combined['AssA'] == pytest.approx((4 / 2 + 8) / 12)
    assert combined['HOTA'] == pytest.approx((10 / 12) ** 0.5)


def test_a_wrong_class_is_missed_in_one_and_false_in_the_other():
    truth = content(entries(['aa']), [2], num_categories=2)
    found = evaluate(truth, entries(['aa'], category_id=2)).overall()
    assert [found[f'class_{c}']['CLEAR']['CLR_FN'] for c in (1, 2)] == [2, 0]
    assert [found[f'class_{c}']['CLEAR']['CLR_FP'] for c in (1, 2)] == [0, 2]
    any_class = evaluate(truth, entries(['aa'], category_id=2), class_agnostic=True)
    assert [*any_class.overall()] == ['object', 'cls_comb_cls_av', 'cls_comb_det_av']
    assert any_class.overall()['object']['CLEAR']['MOTA'] == 1


def test_results_below_the_score_are_left_out():
    truth = content(entries(['aa']), [2])
    results = entries(['aa'], score=0.5) + entries(['bb'], score=0.25)

    def false(min_score):
        return evaluate(truth, results, min_score=min_score).overall()['class_1']['CLEAR']['CLR_FP']

    assert [false(score) for score in (None, 0.0, 0.25, 0.26, 0.5)] == [2, 2, 2, 0, 0]
    assert not evaluate(truth, results, min_score=0.5).notes
    (note,) = evaluate(truth, results, min_score=0.6).notes
    assert 'every object is missed' in note


def test_no_results_miss_everything():
    result = evaluate(content(entries(['aa', 'bb']), [2]), [])
    assert result.notes == ['results: no results are left to count, so every object is missed']
    found = result.overall()['class_1']
    assert (found['CLEAR']['CLR_FN'], found['CLEAR']['ML'], found['CLEAR']['MLR']) == (4, 2, 1)
    assert (found['mean_over_alpha']['HOTA'], found['Identity']['IDFN']) == (0, 4)


def test_a_video_without_results_and_one_without_objects():
    truth = content(entries(['aa']), [2, 3])
    numbers = evaluate(truth, entries(['aaa'], video_id=2)).numbers()
    assert [*numbers] == ['video_1', 'video_2', 'COMBINED_SEQ']
    missed, false = (numbers[f'video_{v}']['class_1'] for v in (1, 2))
    assert (missed['CLEAR']['CLR_FN'], missed['Count']['Frames']) == (2, 2)
    # Of one video alone TrackEval has no ratios where one side is missing.
    assert (false['CLEAR']['CLR_FP'], false['CLEAR']['MOTA'], false['CLEAR']['MLR']) == (3, 0, 1)
    combined = numbers['COMBINED_SEQ']['class_1']['CLEAR']
    assert (combined['MOTA'], combined['CLR_Frames'], combined['MLR']) == (-1.5, 0, 1)


def test_crowds_are_objects_with_a_note():
    result = evaluate(content(entries(['aa'], iscrowd=1), [2]), entries(['bb']))
    assert result.overall()['class_1']['CLEAR']['CLR_FN'] == 2
    assert result.notes == ['gt: crowds count as objects, as in TrackEval: 1 of 1 annotation']


def test_unknown_categories_are_left_out_but_where_classes_do_not_count():
    truth = content(entries(['aa', 'bb']), [2])
    results = entries(['aa']) + entries(['bb'], category_id=7)
    result = evaluate(truth, results)
    assert result.overall()['class_1']['CLEAR']['CLR_FN'] == 2
    assert (
        '1 entry left out (the first is entry 1), as the ground truth does not' in result.notes[0]
    )
    result = evaluate(truth, results, class_agnostic=True)
    assert result.overall()['object']['CLEAR']['MOTA'] == 1
    assert not result.notes


def test_a_class_that_occurs_nowhere_is_zero_in_the_mean_of_trackeval():
    result = evaluate(content(entries(['aa']), [2], num_categories=2), entries(['aa']))
    found = result.overall()
    assert found['cls_comb_cls_av']['mean_over_alpha']['HOTA'] == 0.5
    assert found['cls_comb_det_av']['mean_over_alpha']['HOTA'] == 1
    assert [result.of_category(c).occurs for c in (1, 2)] == [True, False]
    assert mean_of_classes([found['class_1']]) == found['class_1']


def test_counts_are_added_over_classes_and_fractions_are_not():
    truth = content(entries(['aa']) + entries(['bb'], category_id=2), [2], num_categories=2)
    found = evaluate(truth, entries(['aa', 'c.'])).overall()
    mean, each = found['cls_comb_cls_av'], [found['class_1'], found['class_2']]
    for measure, fields in mean.items():
        for name, value in fields.items():
            added = np.sum([numbers[measure][name] for numbers in each], axis=0)
            is_count = isinstance(each[0][measure][name], int) or name.startswith('HOTA_')
            np.testing.assert_allclose(value, added / (1 if is_count else 2), err_msg=name)


def test_videos_of_one_folder_and_classes_named_like_a_mean_are_told_apart():
    truth = content(entries(['aa']) + entries(['aa'], video_id=2), [2, 2])
    for video in truth['videos']:
        video['file_names'] = ['same/0.jpg', 'same/1.jpg']
    truth['categories'][0]['name'] = 'cls_comb_cls_av'
    numbers = evaluate(truth, entries(['aa'])).numbers()
    assert [*numbers] == ['same (1)', 'same (2)', 'COMBINED_SEQ']
    assert [*numbers['same (2)']] == ['cls_comb_cls_av (1)']
    assert numbers['same (2)']['cls_comb_cls_av (1)']['CLEAR']['CLR_FN'] == 2


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        (dict(video_id=5), 'entry 1: video_id 5 is not in gt'),
        (dict(segmentations=[None]), 'entry 1: 1 segmentation, but video 1 has 2 frames'),
        (dict(segmentations=[None] * 3), 'entry 1: 3 segmentations, but video 1 has 2 frames'),
        (
            dict(segmentations=[None, dict(size=[2, 1], counts='2')]),
            r'entry 1, frame 1: the mask has the size \[2, 1\], video 1 has \[1, 64\]',
        ),
    ],
)
def test_results_that_cannot_be_compared_are_named(change, words):
    results = [*entries(['aa']), entries(['aa'])[0] | change]
    with pytest.raises(UserError, match=words):
        evaluate(content(entries(['aa']), [2]), results)


@pytest.mark.parametrize('annotations', [[], None])
def test_a_file_without_annotations_is_refused(annotations):
    truth = content([], [2]) | dict(annotations=annotations)
    with pytest.raises(UserError, match='gt: has no annotations'):
        evaluate(truth, entries(['aa']))


def test_annotations_of_unknown_categories_count_where_classes_do_not():
    objects = entries(['aa']) + entries(['bb'], category_id=9)
    truth, results = content(objects, [2]), entries(['aa'])
    assert evaluate(truth, results).overall()['class_1']['CLEAR']['CLR_FN'] == 0
    found = evaluate(truth, results, class_agnostic=True).overall()
    assert found['object']['CLEAR']['CLR_FN'] == 2


def test_records_are_not_changed():
    truth = youtube_vis_content.records(content(entries(['aa'], iscrowd=1), [2]))
    results = youtube_vis_content.results([dict(score=1.0) | entries(['a.'])[0]])
    for options in (dict(class_agnostic=True), dict(mots=True), dict(min_score=2.0)):
        evaluate_tracking(truth, results, 'results', **options)
    assert [entry.category_id for entry in (*truth.annotations, *results)] == [1, 1]
    assert [rle is None for rle in results[0].rles] == [False, True]
    assert results[0].rles[0]['counts'].decode() == strip('a')['counts']
