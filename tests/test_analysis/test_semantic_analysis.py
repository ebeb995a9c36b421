"""Confusions cost what they should, and all costs add up to what mIoU and VC lack."""

import json

import helpers
import numpy as np
import pytest
from PIL import Image

from mmvseg.analysis.semantic import analyze_semantic
from mmvseg.analysis.semantic_losses import SemanticLosses
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.semantic import iou_stats
from mmvseg.evaluation.semantic_scores import evaluate_vss
from mmvseg.formats.vspw import find_split, load_semantic_truth

SKY, ROAD, CAR, DOG = range(4)
CATEGORIES = [dict(id=i, name=name) for i, name in enumerate(('sky', 'road', 'car', 'dog'))]
CASES = [
    case
    for case in sorted((helpers.reference_dir() / 'eval' / 'vss').iterdir())
    if case.name != 'quirk_void_in_prediction'
]
VOID = -1


def write_maps(folder, maps):
    folder.mkdir(parents=True)
    for t, values in enumerate(maps):
        Image.fromarray(np.array([values], np.uint8)).save(folder / f'{t:03d}.png')


def analyze(folder, videos):
    """``videos``: (truth, prediction) by name, a list of the classes of pixels for each frame."""
    gt = folder / 'gt'
    for name, (truth, pred) in videos.items():
        write_maps(gt / 'data' / name / 'mask', np.array(truth) + 1)
        write_maps(folder / 'pred' / name, pred)
    (gt / 'val.txt').write_text(''.join(f'{name}\n' for name in videos))
    (gt / 'categories.json').write_text(json.dumps(CATEGORIES))
    truth = load_semantic_truth(gt / 'val.txt', gt / 'data')
    return analyze_semantic(truth, str(folder / 'pred'))


def test_one_confusion(tmp_path):
    truth = [SKY] * 4 + [ROAD] * 4 + [CAR] * 2 + [VOID] * 2
    pred = [SKY] * 3 + [ROAD] + [ROAD] * 4 + [CAR] * 2 + [DOG] * 2
    found = analyze(tmp_path, dict(one=([truth], [pred])))
    numbers = found.numbers()
    # IoU of sky 3/4, of road 4/5
    cost = (1 / 4 + 1 / 5) / 3
    assert numbers['scores']['mIoU'] == pytest.approx(1 - cost)
    assert numbers['losses'] == pytest.approx(dict(missed=1 / 4 / 3, false=1 / 5 / 3))
    confusion = dict(truth='sky', predicted='road', share=pytest.approx(1 / 10))
    assert numbers['confused'] == [confusion | dict(cost=pytest.approx(cost))]
    assert numbers['costliest'] == numbers['confused']
    assert numbers['void'] == pytest.approx(2 / 12)
    sky, road, car = numbers['classes']
    assert sky == dict(
        id=SKY,
        name='sky',
        IoU=0.75,
        share=pytest.approx(0.4),
        false=0.0,
        missed=0.25,
        taken_for='road',
        taken_from=None,
    )
    assert (road['false'], road['taken_from']) == (pytest.approx(0.2), 'sky')
    assert (car['IoU'], car['taken_for'], car['taken_from']) == (1.0, None, None)
    assert numbers['confusion'] == dict(
        classes=['sky', 'road', 'car'], pixels=[[3, 1, 0], [0, 4, 0], [0, 0, 2]]
    )
    assert numbers['sentence'] == ('mIoU is 85.0; most is lost by taking sky for road: 15.0 points')


def test_perfect_results_lose_nothing(tmp_path):
    frames = [[SKY, ROAD, CAR, VOID]] * 9
    predicted = [[SKY, ROAD, CAR, DOG]] * 9
    numbers = analyze(tmp_path, dict(one=(frames, predicted))).numbers()
    assert numbers['losses'] == dict(false=0.0, missed=0.0)
    assert numbers['confused'] == numbers['costliest'] == []
    assert numbers['inconsistent'] == {'8': [], '16': []}
    assert numbers['videos'][0]['costliest'] is None
    assert numbers['sentence'] == 'mIoU is 100.0; nothing is lost'


def test_classes_that_are_only_predicted_cost_their_pixels_once(tmp_path):
    frames, predicted = [[SKY] * 4 + [CAR]], [[SKY] * 3 + [DOG] + [ROAD]]
    found = analyze(tmp_path, dict(one=(frames, predicted)))
    costs = {(c.truth, c.predicted): c.cost for c in found.losses.costliest(10)}
    assert costs == pytest.approx({(CAR, ROAD): 1 / 2, (SKY, DOG): 1 / 4 / 2})
    assert found.sentence() == (
        'mIoU is 37.5; most is lost by taking car for road: 50.0 points; then by taking sky for '
        'dog: 12.5; 1 of 2 classes is never right: 50.0'
    )


def test_small_confusions_are_not_called_nothing(tmp_path):
    frames = [[SKY] * 5000 + [ROAD] * 5000]
    found = analyze(tmp_path, dict(one=(frames, [[SKY] * 5001 + [ROAD] * 4999])))
    assert found.sentence() == 'mIoU is 100.0; no single confusion costs 0.1 points'


def test_videos_and_windows_that_cost_most_come_first(tmp_path):
    steady, other = [SKY] * 4 + [ROAD] * 4, [SKY] * 4 + [ROAD] * 3 + [CAR]
    flicker = [steady] * 9
    flicker[0] = other
    late = [steady] * 12
    late[9] = [CAR] * 8
    videos = dict(
        good=([steady] * 9, [steady] * 9),
        once=([steady] * 9, flicker),
        late=([steady] * 12, late),
        void=([[VOID] * 8] * 2, [steady] * 2),
    )
    numbers = analyze(tmp_path, videos).numbers()
    # windows: 1 of 9 frames each, 4 of 12 frames, of which those from frame 2 on hold frame 9
    assert numbers['inconsistent']['8'] == [
        dict(video='late', loss=pytest.approx(2 / 6), frame=2),
        dict(video='once', loss=pytest.approx(1 / 8 / 6), frame=0),
    ]
    assert numbers['scores']['VC8'] == pytest.approx(1 - (2 + 1 / 8) / 6)
    assert numbers['inconsistent']['16'] == []
    names = [entry['video'] for entry in numbers['videos']]
    assert names == ['late', 'once', 'good', 'void']
    late, once, _, void = numbers['videos']
    assert once['VC8'] == pytest.approx(7 / 8)
    assert np.isnan(once['VC16'])
    assert np.isnan(void['mIoU'])
    assert void['void'] == 1
    assert late['costliest']['predicted'] == 'car'


@pytest.mark.parametrize('case', CASES, ids=lambda path: path.name)
def test_numbers_are_those_of_the_metric(case):
    coding = 'zero-based' if 'zero_based' in case.name else 'raw'
    truth = load_semantic_truth(find_split(case / 'gt'), case / 'gt' / 'data')
    calls = []
    found = analyze_semantic(truth, str(case / 'pred'), coding, lambda: calls.append(1))
    assert len(calls) == len(truth.masks)
    numbers, quality = found.numbers(), evaluate_vss(truth, case / 'pred', coding)
    assert numbers['scores'] == pytest.approx(quality.stats(), nan_ok=True)
    assert found.notes() == quality.notes()
    mean_iou = quality.stats()['mIoU']
    assert sum(numbers['losses'].values()) == pytest.approx(1 - mean_iou)
    assert found.losses.costs().sum() == pytest.approx(1 - mean_iou)
    for n, videos in numbers['inconsistent'].items():
        lost = sum(entry['loss'] for entry in videos)
        assert lost == pytest.approx(1 - quality.stats()[f'VC{n}'])
    for entry in numbers['videos']:
        stats = iou_stats(quality.confusion([entry['video']]))
        assert entry['mIoU'] == pytest.approx(stats['mIoU'], nan_ok=True)


def test_costs_of_random_confusions_add_up():
    rng = np.random.default_rng(0)
    for _ in range(20):
        confusion = rng.integers(0, 50, (6, 6)) * (rng.random((6, 1)) < 0.7)
        losses = SemanticLosses(confusion)
        lacking = 1 - iou_stats(confusion)['mIoU'] if confusion.any() else 0
        assert losses.costs().sum() == pytest.approx(lacking)
        largest = [found.share for found in losses.largest(10)]
        assert largest == sorted(largest, reverse=True)


def test_tables_show_the_numbers(tmp_path):
    truth, pred = [SKY] * 4 + [ROAD] * 4, [SKY] * 3 + [ROAD] * 5
    tables = analyze(tmp_path, dict(one=([truth], [pred]))).tables()
    assert '| 77.5 | 12.5   | 10.0  | - ' in tables
    assert '| sky | road      | 12.5        | 22.5   |' in tables
    assert '| one   | 77.5 | -   | sky for road           |' in tables
    assert 'where VC8 goes' not in tables


def test_no_label_and_no_masks(tmp_path):
    found = analyze(tmp_path, dict(one=([[VOID] * 2], [[SKY] * 2])))
    assert found.sentence() == 'mIoU is undefined: no pixel of the ground truth is labelled'
    assert found.numbers()['void'] == 1
    gt = tmp_path / 'gt'
    (gt / 'data' / 'one' / 'mask' / '000.png').unlink()
    truth = load_semantic_truth(gt / 'val.txt', gt / 'data')
    with pytest.raises(UserError, match='have no masks'):
        analyze_semantic(truth, str(tmp_path / 'pred'))
