import json

import cv2
import helpers
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmvseg.errors import UserError
from mmvseg.evaluation.functional.semantic import (
    SemanticQuality,
    VideoConsistency,
    VideoSemanticCounts,
    class_iou,
)
from mmvseg.evaluation.semantic_scores import evaluate_vss
from mmvseg.formats.vspw import (
    find_split,
    load_semantic_truth,
)

CASES = sorted((helpers.reference_dir() / 'eval' / 'vss').iterdir())
SCORED = [case for case in CASES if case.name != 'quirk_void_in_prediction']


def evaluate_case(case, coding='raw'):
    truth = load_semantic_truth(find_split(case / 'gt'), case / 'gt' / 'data')
    return evaluate_vss(truth, case / 'pred', coding)


@pytest.mark.parametrize('case', SCORED, ids=lambda path: path.name)
def test_numbers_are_the_official_ones(case):
    expected = json.loads((case / 'expected.json').read_text())
    coding = 'raw' if expected['gt_coding'].startswith('raw') else 'zero-based'
    result = evaluate_case(case, coding)
    stats = result.stats()
    assert stats == pytest.approx({key: expected[key] for key in stats}, abs=1e-9)
    iou = class_iou(result.confusion())
    for label, entry in expected['per_class'].items():
        if entry['counted_in_mIoU']:
            assert iou[int(label)] == pytest.approx(entry['iou'], abs=1e-9)
    for n in (8, 16):
        windows = expected[f'VC{n}_detail']['per_video_window_values']
        for name, values in windows.items():
            got = result.videos[name].consistency[n]
            wanted = [float(value) for value in values]
            assert got == pytest.approx(wanted, abs=1e-9, nan_ok=True)


def test_predictions_that_are_no_class_are_refused():
    (case,) = set(CASES) - set(SCORED)
    message = r'pred/001_q/\d+\.png: has the value 255, but classes are 0 to 123'
    with pytest.raises(UserError, match=message):
        evaluate_case(case)


def naive_consistency(truth, pred, n):
    """The definition: frames s to s + n - 1 for s up to N - n - 1."""
    values = []
    for start in range(len(truth) - n):
        window = slice(start, start + n)
        common = (truth[window] == truth[start]).all(axis=0)
        kept = common & (pred[window] == pred[start]).all(axis=0)
        values.append(kept.sum() / common.sum() if common.any() else np.nan)
    return values


@given(st.integers(1, 24), st.sampled_from([(1, 2), (3, 5), (8, 16)]), st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_consistency_equals_the_definition(num_frames, windows, seed):
    rng = np.random.default_rng(seed)
    change = rng.random((2, num_frames, 3, 3)) < 0.1
    truth, pred = np.cumsum(change, axis=1).astype(np.uint8) % 3
    consistency = VideoConsistency(windows)
    for frames in zip(truth, pred, strict=True):
        consistency.add(*frames)
    for n in windows:
        expected = naive_consistency(truth, pred, n)
        assert consistency.values[n] == pytest.approx(expected, nan_ok=True)


def test_consistency_over_more_frames_than_a_byte_counts():
    consistency = VideoConsistency((8, 16))
    still = np.ones((1, 2), np.uint8)
    for _ in range(300):
        consistency.add(still, still)
    assert consistency.values == {8: [1.0] * 292, 16: [1.0] * 284}


def naive_iou(truth, pred, num_classes):
    ious, recalls, weights = [], [], []
    labelled = (truth > 0) & (truth <= num_classes)
    for c in range(num_classes):
        true, predicted = labelled & (truth == c + 1), labelled & (pred == c)
        if true.any():
            ious.append((true & predicted).sum() / (true | predicted).sum())
            recalls.append((true & predicted).sum() / true.sum())
            weights.append(true.sum() / labelled.sum())
    accuracy = (truth[labelled] - 1 == pred[labelled]).mean()
    weighted = np.dot(ious, weights)
    return dict(Acc=accuracy, Acc_class=np.mean(recalls), mIoU=np.mean(ious), fwIoU=weighted)


@given(st.integers(0, 2**32))
@settings(max_examples=40, deadline=None)
def test_iou_equals_the_definition(seed):
    rng = np.random.default_rng(seed)
    num_classes = 5
    videos, naive = {}, []
    truth = rng.choice([0, 1, 2, 3, 5, 255], (3, 2, 4, 5)).astype(np.uint8)
    truth[..., 0] = 1  # something is labelled
    pred = rng.integers(0, num_classes, truth.shape, np.uint8)
    for v in range(3):
        counts = VideoSemanticCounts(num_classes)
        for frames in zip(truth[v], pred[v], strict=True):
            counts.add(*frames, 'frame')
        videos[str(v)] = counts.sums()
        naive.append(naive_iou(truth[v], pred[v], num_classes))
    stats = SemanticQuality(videos, num_classes).stats()
    expected = naive_iou(truth, pred, num_classes)
    for key in ('mIoU', 'fwIoU'):
        expected[f'video_{key}'] = np.mean([values[key] for values in naive])
    assert {key: stats[key] for key in expected} == pytest.approx(expected, abs=1e-9)
    assert np.isnan([stats['VC8'], stats['VC16']]).all()


def write(path, values):
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.array(values, np.uint8))


def make_folder(folder, masks, predictions):
    """Videos of frames, by name; returns the folders of ground truth and predictions."""
    (folder / 'gt').mkdir()
    (folder / 'gt/val.txt').write_text('\n'.join(masks))  # without a final newline
    for video, frames in masks.items():
        for t, values in enumerate(frames):
            write(folder / 'gt/data' / video / 'mask' / f'{t:03d}.png', values)
    for video, frames in predictions.items():
        for t, values in enumerate(frames):
            write(folder / 'pred' / video / f'{t:03d}.png', values)
    return folder


def test_undefined_and_ignored_is_said(tmp_path):
    masks = dict(a=[[[1, 2, 200]]] * 2, b=[[[0, 255, 0]]])
    make_folder(tmp_path, masks, dict(a=[[[0, 1, 1]]] * 2, b=[[[0, 0, 0]]]))
    result = evaluate_case(tmp_path)
    stats = result.stats()
    assert stats['mIoU'] == stats['Acc'] == 1.0
    undefined = [key for key, value in stats.items() if np.isnan(value)]
    assert undefined == ['video_mIoU', 'video_fwIoU', 'VC8', 'VC16']
    notes = '\n'.join(result.notes())
    assert '1 of 2 videos have no labelled pixel, the first is b' in notes
    assert 'such as 200 in a; these pixels are ignored' in notes
    assert 'VC8 is undefined' in notes


def test_own_classes_stand_beside_the_split(tmp_path):
    make_folder(tmp_path, dict(a=[[[1, 4]]]), dict(a=[[[0, 3]]]))
    (tmp_path / 'gt/categories.json').write_text(json.dumps([dict(id=3, name='x')]))
    truth = load_semantic_truth(tmp_path / 'gt/val.txt', tmp_path / 'gt/data')
    assert (truth.names, truth.num_classes) == ({3: 'x'}, 4)
    write(tmp_path / 'pred/a/000.png', [[0, 4]])
    with pytest.raises(UserError, match=r'a/000\.png: has the value 4, but classes are 0 to 3'):
        evaluate_vss(truth, tmp_path / 'pred')


def test_palette_predictions_are_read_by_index(tmp_path):
    make_folder(tmp_path, dict(a=[[[1, 2]]]), dict(a=[[[0, 0]]]))
    image = Image.fromarray(np.array([[0, 1]], np.uint8), 'P')
    image.putpalette([200, 100, 50, 9, 9, 9])
    image.save(tmp_path / 'pred/a/000.png')
    assert evaluate_case(tmp_path).stats()['mIoU'] == 1.0


def test_which_split(tmp_path):
    for name in ('val', 'test'):
        (tmp_path / f'{name}.txt').touch()
    assert find_split(tmp_path).stem == 'val'
    assert find_split(tmp_path, 'test').stem == 'test'
    assert find_split(tmp_path / 'test.txt').stem == 'test'
    (tmp_path / 'val.txt').rename(tmp_path / 'train.txt')
    with pytest.raises(UserError, match=r'has no val\.txt.*but test\.txt, train\.txt.*--split'):
        find_split(tmp_path)
    (tmp_path / 'train.txt').unlink()
    assert find_split(tmp_path).stem == 'test'
    (tmp_path / 'test.txt').unlink()
    with pytest.raises(UserError, match=r'but no \.txt file'):
        find_split(tmp_path)


def test_broken_inputs_are_named(tmp_path):
    folder = make_folder(tmp_path, dict(a=[[[1, 2]]] * 2), dict(a=[[[0, 1]]] * 2))
    frame = folder / 'pred/a/001.png'
    breakings = [
        (lambda: write(frame, [[0, 1, 1]]), r'a/001\.png: 3x1 pixels, the frames .* 2x1'),
        (lambda: write(frame, [[[0, 0, 0]] * 2]), r'a/001\.png: a map of classes has one 8-bit'),
        (lambda: frame.write_bytes(b'no image'), r'a/001\.png: '),
        (frame.unlink, r'a/001\.png: cannot be read'),
        (lambda: write(folder / 'gt/data/a/mask/001.png', [[1]]), r'mask/001\.png: 1x1'),
        (lambda: (folder / 'gt/val.txt').write_text('a\nb\n'), r'b/mask: has no masks.*1 of 2'),
        (
            lambda: (folder / 'gt/val.txt').write_text('a\na\n'),
            'video a, line 2: names the video again',
        ),
        (lambda: (folder / 'gt/val.txt').write_text('\n'), r'val\.txt: videos: names no video'),
    ]
    for break_it, message in breakings:
        break_it()
        with pytest.raises(UserError, match=message):
            evaluate_case(folder)


def test_frames_of_one_video_have_one_size():
    counts = VideoSemanticCounts(2)
    counts.add(np.ones((1, 2), np.uint8), np.zeros((1, 2), np.uint8), 'frame 0')
    with pytest.raises(UserError, match='frame 1: has another size'):
        counts.add(np.ones((1, 3), np.uint8), np.zeros((1, 3), np.uint8), 'frame 1')


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({}, r'categories\.json: not a list'),
        ([dict(name='x')], r'categories\.json: categories\[0\]: missing id'),
        ([dict(id=254, name='x')], 'from 0 to 253'),
        ([dict(id='1', name='x')], "id: '1' is not an integer"),
    ],
)
def test_broken_categories_are_named(tmp_path, content, message):
    (tmp_path / 'val.txt').write_text('a\n')
    (tmp_path / 'categories.json').write_text(json.dumps(content))
    with pytest.raises(UserError, match=message):
        load_semantic_truth(tmp_path / 'val.txt', tmp_path)
