import copy
import json
from collections import defaultdict
from itertools import chain

import helpers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from youtube_vis_content import evaluate, ground_truth

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.ground_truth import occlusion_score, to_ground_truth
from mmvseg.evaluation.functional.youtube_vis_ap import (
    AREA_RANGES,
    IOU_THRESHOLDS,
    MAX_DETECTIONS,
    evaluate_youtube_vis,
)
from mmvseg.formats.youtube_vis import read_youtube_vis
from mmvseg.formats.youtube_vis_results import read_results, to_results

CASES = helpers.reference_dir() / 'eval' / 'ytvis_ap'
SCORED = sorted(p.parent.name for p in CASES.glob('*/arrays.npz'))
HEIGHT, WIDTH, FRAMES = 3, 4, 2


def evaluate_case(name, occlusion=False):
    truth = to_ground_truth(read_youtube_vis(CASES / name / 'gt.json'), occlusion)
    results = read_results(CASES / name / 'results.json')
    return evaluate_youtube_vis(truth, results, name, occlusion)


def recorded(name, file='expected.json'):
    return json.loads((CASES / name / file).read_text())


def assert_numbers(got, expected):
    assert list(got) == list(expected)
    np.testing.assert_allclose([*got.values()], [*expected.values()], rtol=0, atol=1e-9)


def assert_equals_recorded(result, expected, arrays):
    assert_numbers(result.stats(), expected['stats'])
    per_category = result.per_category()
    assert [str(i) for i in per_category] == list(expected['per_category'])
    for values, entry in zip(per_category.values(), expected['per_category'].values(), strict=True):
        assert_numbers(dict(sorted(values.items())), dict(sorted([*entry.items()][1:])))
    for key, values in result.per_iou_threshold().items():
        np.testing.assert_allclose(values, expected['per_iou_threshold'][key], rtol=0, atol=1e-9)
    for key, values in np.load(arrays).items():
        got = getattr(result, key)
        np.testing.assert_allclose(got.reshape(values.shape), values, rtol=0, atol=1e-9)


def test_there_are_recorded_cases():
    assert {'edge', 'normal', 'no_gt', 'ovis_occlusion'} < set(SCORED)


@pytest.mark.parametrize('name', SCORED)
def test_numbers_are_the_official_ones(name):
    assert_equals_recorded(evaluate_case(name), recorded(name), CASES / name / 'arrays.npz')


@pytest.mark.parametrize('name', [n for n in SCORED if 'ovis' in recorded(n)])
def test_occlusion_numbers_are_the_official_ones(name):
    result = evaluate_case(name, occlusion=True)
    expected = recorded(name)['ovis']
    assert_equals_recorded(result, expected, CASES / name / 'arrays_ovis.npz')
    truth = to_ground_truth(read_youtube_vis(CASES / name / 'gt.json'), occlusion=True)
    scores = {str(a.id): a.occlusion for group in truth.annotations.values() for a in group}
    assert scores == pytest.approx(expected['occ_score_per_gt'], abs=1e-9)


@pytest.mark.parametrize('name', SCORED)
def test_matches_are_the_official_ones(name):
    matchings = {(m.video_id, m.category_id): m for m in evaluate_case(name).matchings}
    for entry in recorded(name, 'video_iou.json'):
        matching = matchings[entry['video_id'], entry['category_id']]
        assert [d.index for d in matching.detections] == entry['rows_dt_index_in_results_json']
        assert [g.id for g in matching.annotations] == entry['cols_gt_id']
        assert [d.average_area for d in matching.detections] == pytest.approx(
            entry['rows_avg_area'], abs=1e-9
        )
        assert [g.average_area for g in matching.annotations] == pytest.approx(
            entry['cols_avg_area'], abs=1e-9
        )
        iou = np.reshape(entry['iou'], matching.iou.shape)
        np.testing.assert_allclose(matching.iou, iou, rtol=0, atol=1e-9)
    for entry in recorded(name, 'matches.json'):
        matching = matchings[entry['video_id'], entry['category_id']]
        ids = np.array([g.id for g in matching.annotations] + [0])
        got = ids[matching.matched[0]]
        expected = np.reshape(entry['dt_matched_gt_id_per_threshold(0=none)'], got.shape)
        np.testing.assert_array_equal(got, expected)
        ignored = np.reshape(entry['dt_ignored_per_threshold'], got.shape)
        np.testing.assert_array_equal(matching.ignored[0], ignored)


def test_no_predictions_are_refused():
    with pytest.raises(UserError, match=r'holds no predictions'):
        evaluate_case('empty_predictions')


@pytest.mark.parametrize(
    ('name', 'words'),
    [
        ('quirk_gt_id_zero', 'id 0'),
        ('quirk_length_mismatch', 'more or fewer segmentations'),
        ('quirk_size_mismatch', 'another size'),
        ('edge', 'category_id that the ground truth does not list'),
    ],
)
def test_surprising_counts_are_noted(name, words):
    assert any(words in note for note in evaluate_case(name).notes)


# --- a slow and obvious evaluation of tiny videos -------------------------------------------------


def to_mask(bits):
    return (bits >> np.arange(HEIGHT * WIDTH) & 1).reshape(HEIGHT, WIDTH).astype(np.uint8)


def to_rle(bits):
    if bits is None:
        return None
    rle = coco_mask.encode(np.asfortranarray(to_mask(bits)))
    return dict(size=[HEIGHT, WIDTH], counts=rle['counts'].decode())


frame_bits = st.none() | st.sampled_from([0b1, 0b11, 0b1111, 0b110011, 0xFFF, 0xFF0, 0x0FF])
tube_bits = st.lists(frame_bits, min_size=FRAMES, max_size=FRAMES)
boxes = dict(video_id=st.sampled_from([7, 3]), category_id=st.sampled_from([2, 1]), bits=tube_bits)
annotations = st.lists(
    st.fixed_dictionaries(
        boxes
        | dict(
            iscrowd=st.sampled_from([0, 0, 0, 1]),
            area=st.sampled_from([None, 5, 128**2, 200**2, 256**2, 1e6]),
        )
    ),
    max_size=6,
)
detections = st.lists(
    st.fixed_dictionaries(boxes | dict(score=st.sampled_from([0.1, 0.5, 0.9]))),
    min_size=1,
    max_size=8,
)


def official(annotations, detections):
    size = dict(height=HEIGHT, width=WIDTH, length=FRAMES, file_names=[*'ab'])
    truth = dict(
        videos=[dict(id=i, **size) for i in (7, 3)],
        categories=[dict(id=i, name=str(i)) for i in (2, 1)],
        annotations=[
            dict(
                id=i + 1,
                video_id=a['video_id'],
                category_id=a['category_id'],
                iscrowd=a['iscrowd'],
                areas=[a['area'], None],
                segmentations=[to_rle(bits) for bits in a['bits']],
            )
            for i, a in enumerate(annotations)
        ],
    )
    results = [
        dict(
            video_id=d['video_id'],
            category_id=d['category_id'],
            score=d['score'],
            segmentations=[to_rle(bits) for bits in d['bits']],
        )
        for d in detections
    ]
    return truth, results


def slow_iou(a, b):
    pixels = [
        [{(t, i) for t, m in enumerate(x) if m is not None for i in np.flatnonzero(to_mask(m))}]
        for x in (a, b)
    ]
    (a,), (b,) = pixels
    return len(a & b) / len(a | b) if a | b else 0


def slow_curve(annotations, detections, threshold, area_range, limit):
    """(score, verdict) of all detections of a category by rank, and the number of positives."""
    low, high = area_range
    ranked, positives = [], 0
    for video_id in (3, 7):
        truth = [a for a in annotations if a['video_id'] == video_id]
        ignored = [a['iscrowd'] or not low <= (a['area'] or 0) <= high for a in truth]
        positives += ignored.count(False)
        free = set(range(len(truth)))
        here = [d for d in detections if d['video_id'] == video_id]
        for d in sorted(here, key=lambda d: -d['score'])[:limit]:
            verdict = None
            for pool in (False, True):
                found = [
                    (slow_iou(d['bits'], truth[j]['bits']), j) for j in free if ignored[j] == pool
                ]
                iou, j = max(found, default=(0, None))
                if iou >= threshold:
                    verdict = 'ignored' if pool else 'right'
                    free -= set() if truth[j]['iscrowd'] else {j}
                    break
            if verdict is None:
                areas = [to_mask(bits).sum() for bits in d['bits'] if bits]
                inside = low <= (np.mean(areas) if areas else 0) <= high
                verdict = 'wrong' if inside else 'ignored'
            ranked.append((d['score'], verdict))
    return sorted(ranked, key=lambda pair: -pair[0]), positives


def slow_ap(ranked, positives):
    """Mean over 101 recall points of the best precision at that recall or more, and the recall."""
    if positives == 0:
        return -1, -1
    points, right, wrong = [], 0, 0
    for _, verdict in ranked:
        right += verdict == 'right'
        wrong += verdict == 'wrong'
        points.append((right / positives, right / max(right + wrong, 1)))
    best = [
        max((p for recall, p in points if recall >= point), default=0)
        for point in np.linspace(0, 1, 101)
    ]
    return np.mean(best), points[-1][0] if points else 0


@settings(max_examples=40, deadline=None)
@given(annotations, detections)
def test_equals_a_slow_evaluation(annotations, detections):
    truth, results = official(annotations, detections)
    result = evaluate(ground_truth(truth, 'gt'), results)
    for k, category_id in enumerate((1, 2)):
        of_category = [
            [x for x in side if x['category_id'] == category_id]
            for side in (annotations, detections)
        ]
        for a, area_range in enumerate(AREA_RANGES.values()):
            for m, limit in ((0, MAX_DETECTIONS[0]), (2, MAX_DETECTIONS[2])):
                for t in (0, 3, 9):
                    curve = slow_curve(*of_category, IOU_THRESHOLDS[t], area_range, limit)
                    ap, recall = slow_ap(*curve)
                    got = result.precision[t, :, k, a, 0, m].mean()
                    assert got == pytest.approx(ap, abs=1e-12)
                    assert result.recall[t, k, a, 0, m] == pytest.approx(recall, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(annotations, detections, st.randoms())
def test_order_of_videos_and_scale_of_scores_do_not_matter(annotations, detections, random):
    truth, results = official(annotations, detections)
    expected = evaluate(ground_truth(truth, 'gt'), results)

    groups = defaultdict(list)
    for entry in copy.deepcopy(results):
        groups[entry['video_id']].append(entry | dict(score=entry['score'] ** 3 - 5))
    shuffled = [*groups.values()]
    random.shuffle(shuffled)
    truth['videos'].reverse()
    truth['categories'].reverse()
    got = evaluate(ground_truth(truth, 'gt'), [*chain(*shuffled)])
    np.testing.assert_array_equal(got.precision, expected.precision)
    np.testing.assert_array_equal(got.recall, expected.recall)


@settings(max_examples=15, deadline=None)
@given(annotations, detections)
def test_wrong_detections_at_the_end_lower_no_recall(annotations, detections):
    truth, results = official(annotations, detections)
    before = evaluate(ground_truth(truth, 'gt'), results)
    extra = [entry | dict(score=0.01) for entry in official([], detections)[1]]
    after = evaluate(ground_truth(truth, 'gt'), results + extra)
    assert (after.recall >= before.recall).all()
    assert after.stats()['AP'] <= 1


def test_perfect_detections_score_one():
    annotation = dict(video_id=3, category_id=1, bits=[0b11, None], iscrowd=0, area=2)
    truth, results = official([annotation], [annotation | dict(score=0.5)])
    stats = evaluate(ground_truth(truth, 'gt'), results).stats()
    assert stats['AP'] == pytest.approx(1)
    assert stats['AR1'] == stats['AR_small'] == 1
    assert stats['AP_large'] == -1


def test_the_last_of_annotations_with_one_id_stands_for_all():
    annotation = dict(video_id=3, category_id=1, bits=[0b11, None], iscrowd=0, area=2)
    other = annotation | dict(bits=[0xFF0, 0xFF0])
    truth, results = official([annotation, other], [other | dict(score=0.5)])
    truth['annotations'][1]['id'] = 1
    result = evaluate(ground_truth(truth, 'gt'), results)
    assert result.stats()['AR100'] == 0.5  # two positives, both of them `other`
    assert any('occurs more than once' in note for note in result.notes)


# --- bad input ------------------------------------------------------------------------------------


def example():
    annotation = dict(video_id=3, category_id=1, bits=[0b11, None], iscrowd=0, area=2)
    return official([annotation], [annotation | dict(score=0.5)])


def change(content, path, value):
    *parents, last = path
    for key in parents:
        content = content[key]
    if value is KeyError:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ('path', 'value', 'words'),
    [
        ([0, 'video_id'], 4, 'entry 0: video_id 4 is not in gt'),
        ([0, 'video_id'], KeyError, 'entry 0: missing video_id'),
        ([0, 'video_id'], [3], r'entry 0, video_id: \[3\] is not an integer'),
        ([0, 'video_id'], True, 'entry 0, video_id: True is not an integer'),
        ([0, 'category_id'], KeyError, 'entry 0: missing category_id'),
        ([0, 'category_id'], True, 'entry 0, category_id: True is not an integer'),
        ([0, 'score'], KeyError, 'entry 0: missing score'),
        ([0, 'score'], 'high', "entry 0, score: 'high' is not a number"),
        ([0, 'score'], True, 'entry 0, score: True is not a number'),
        ([0, 'segmentations'], KeyError, 'entry 0: missing segmentations'),
        ([0, 'segmentations', 0, 'counts'], [1, 11], 'frame 0, segmentations: .*counts .a text, a'),
        ([0, 'segmentations', 0], [[0, 0, 3, 0, 3, 2]], 'frame 0, segmentations: .*a compressed'),
        ([0, 'segmentations', 0, 'size'], [3], 'entry 0, frame 0, segmentations: .*is not an obj'),
        ([0, 'segmentations', 0, 'size'], [3.0, 4.0], 'frame 0, segmentations: .*is not an obj'),
        ([0, 'segmentations', 0, 'size'], [9, 9], 'covers 12 pixels'),
        ([0, 'segmentations', 0, 'size'], [2**17, 9], 'frame 0, segmentations: .*is not an obj'),
        ([0, 'segmentations', 0, 'counts'], 'P', 'entry 0, frame 0, segmentations: .* is cut off'),
        ([0], 5, 'entry 0: 5 is not an object'),
    ],
)
def test_broken_results_are_named(path, value, words):
    truth, results = example()
    change(results, path, value)
    with pytest.raises(UserError, match=rf'results\.json: .*{words}'):
        evaluate(ground_truth(truth), results, 'results.json')


def test_scores_that_are_not_finite_are_refused(tmp_path):
    _, results = example()
    results[0]['score'] = float('nan')
    (tmp_path / 'results.json').write_text(json.dumps(results))
    with pytest.raises(UserError, match=r'results\.json: not valid json .json has no number NaN'):
        read_results(tmp_path / 'results.json')
    with pytest.raises(UserError, match='the predictions: entry 0, score: nan is not a finite num'):
        to_results(results, 'the predictions')


def test_results_must_be_a_list(tmp_path):
    (tmp_path / 'results.json').write_text('{"results": []}')
    with pytest.raises(UserError, match='must be a list of results, it is a dict'):
        read_results(tmp_path / 'results.json')


@pytest.mark.parametrize('annotations', [None, [], KeyError])
def test_without_annotations_every_number_is_undefined(annotations):
    truth, results = example()
    change(truth, ['annotations'], annotations)
    truth = ground_truth(truth, 'gt')
    assert not truth.has_annotations
    assert set(evaluate(truth, results).stats().values()) == {-1}


@pytest.mark.parametrize('levels', [None, [], [None, None], ['heavy', None]])
def test_missing_occlusion_is_named(levels):
    with pytest.raises(UserError, match="here: 'occlusion' must hold"):
        occlusion_score(levels, 'here')


def test_occlusion_score_is_the_mean_of_the_more_occluded_half():
    none, slight, severe = 'no_occlusion', 'slight_occlusion', 'severe_occlusion'
    assert occlusion_score([none, None, severe, slight], '') == 0.5
    assert occlusion_score([slight], '') == 0.25


def test_ovis_needs_equal_lengths():
    truth, results = example()
    truth['annotations'][0]['occlusion'] = ['no_occlusion', None]
    results[0]['segmentations'].append(None)
    truth = ground_truth(truth, 'gt', occlusion=True)
    with pytest.raises(UserError, match='entry 0 has 3 segmentations, annotation 1'):
        evaluate(truth, results, occlusion=True)


def test_unreadable_files_are_named(tmp_path):
    with pytest.raises(UserError, match=r'absent\.json: cannot be read'):
        read_results(tmp_path / 'absent.json')
    with pytest.raises(UserError, match=r'cannot be read \(embedded null byte'):
        read_results(f'{tmp_path}/a\0b')
    (tmp_path / 'cut.json').write_text('[1, 2')
    with pytest.raises(UserError, match=r'cut\.json: not valid json.*is the file complete'):
        read_results(tmp_path / 'cut.json')
    (tmp_path / 'image.json').write_bytes(b'\xff\xd8\xff')
    with pytest.raises(UserError, match=r'image\.json: not valid json'):
        read_results(tmp_path / 'image.json')
