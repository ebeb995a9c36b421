"""STQ and VPQ of the STEP sets, against the definition and on cases of a few pixels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panoptic_sets import VOID, pixels, write_step_maps

from mmvseg.errors import UserError
from mmvseg.evaluation import STEPMetric
from mmvseg.evaluation.folder_scores import score_panoptic
from mmvseg.evaluation.functional.stq import evaluate_stq
from mmvseg.evaluation.functional.vpq import evaluate_vpq
from mmvseg.formats.step import load_results, read_step, split_id
from mmvseg.structures import CodedMaps, Segment, VideoDataSample, VideoPanoptic

ROAD, SIDEWALK, PERSON, CAR = 0, 1, 11, 13
THINGS = (PERSON, CAR)
NAMES = {ROAD: 'road', SIDEWALK: 'sidewalk', PERSON: 'person', CAR: 'car'}


def files(folder, truth, pred):
    """Ground truth and results of sequences, each a list of maps by name."""
    write_step_maps(folder / 'gt', truth)
    write_step_maps(folder / 'pred', pred)
    content = read_step(folder / 'gt', 'kitti_step')
    return content, load_results(folder / 'pred', content)


def stq(folder, truth, pred):
    return evaluate_stq(*files(folder, truth, pred))


def one(folder, truth, pred):
    return stq(folder, {'0000': [truth]}, {'0000': [pred]})


def definition(truth, pred):
    """STQ, AQ and SQ of DeepLab2, pixel by pixel."""
    confusion, tubes = {}, []
    for name, frames in truth.items():
        t = np.concatenate([np.reshape(f, (-1, 2)) for f in frames])
        p = np.concatenate([np.reshape(f, (-1, 2)) for f in pred[name]])
        for pair in zip(t[:, 0].tolist(), p[:, 0].tolist(), strict=True):
            if pair[0] != VOID:
                confusion[pair] = confusion.get(pair, 0) + 1
        is_thing, found = np.isin(t[:, 0], THINGS), np.isin(p[:, 0], THINGS)
        counted = ~(is_thing & (t[:, 1] == 0))
        t_id, p_id = t[:, 0] << 16 | t[:, 1], p[:, 0] << 16 | p[:, 1]
        for tube in np.unique(t_id[is_thing & counted]):
            of_tube = (t_id == tube) & is_thing & counted
            quality = 0
            for other in np.unique(p_id[of_tube & found]):
                of_other = (p_id == other) & found & counted
                shared = (of_tube & of_other).sum()
                quality += shared * shared / (of_tube | of_other).sum()
            tubes.append(quality / of_tube.sum())
    classes = {c for pair in confusion for c in pair}
    iou = []
    for c in classes:
        union = sum(n for pair, n in confusion.items() if c in pair)
        iou.append(confusion.get((c, c), 0) / union)
    sq = np.mean(iou) if iou else np.nan
    aq = np.mean(tubes) if tubes else 0
    return dict(STQ=np.sqrt(aq * sq), AQ=aq, SQ=sq)


@st.composite
def sequences(draw):
    """Two sequences of different sizes, true and predicted."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    things = [(c, n) for c in THINGS for n in (0, 1, 300)]
    kinds = np.array([(ROAD, 0), (SIDEWALK, 0), *things, (VOID, 0)])
    result = [{}, {}]
    for name, shape in (('0000', (3, 4)), ('0001', (2, 5))):
        true = kinds[rng.integers(0, len(kinds), (draw(st.integers(1, 3)), *shape))]
        noise = kinds[rng.integers(0, len(kinds), true.shape[:3])]
        pred = np.where(rng.random(true.shape[:3])[..., None] < 0.5, true, noise)
        result[0][name], result[1][name] = list(true), list(pred)
    return result


@given(sequences())
@settings(max_examples=25, deadline=None)
def test_equals_the_definition_on_random_sequences(tmp_path_factory, scene):
    found = stq(tmp_path_factory.mktemp('step'), *scene).stats()
    assert found == pytest.approx(definition(*scene), abs=1e-12, nan_ok=True)


def test_the_first_segment_counts(tmp_path):
    """VIPSeg's script would leave the first car out, since it would number it 0."""
    truth, pred = pixels([(CAR, 1), (CAR, 2)]), pixels([(CAR, 1), (CAR, 1)])
    result = one(tmp_path, truth, pred)
    assert result.num_tubes == 2
    assert result.stats()['AQ'] == 0.5


def test_a_crowd_is_no_tube_and_excuses_but_counts_in_sq(tmp_path):
    truth = pixels([(CAR, 1), (CAR, 0), (CAR, 0), (ROAD, 0)])
    whole = one(tmp_path / 'a', truth, pixels([(CAR, 1), (CAR, 1), (CAR, 1), (ROAD, 0)]))
    assert whole.num_tubes == 1
    assert whole.stats() == dict(STQ=1.0, AQ=1.0, SQ=1.0)  # what lies on the crowd costs nothing
    missed = one(tmp_path / 'b', truth, pixels([(CAR, 1), (ROAD, 0), (ROAD, 0), (ROAD, 0)]))
    assert missed.stats()['AQ'] == 1
    assert missed.stats()['SQ'] == pytest.approx((1 / 3 + 1 / 3) / 2)


def test_without_any_tube_aq_and_stq_are_0(tmp_path):
    frame = pixels([(CAR, 0), (ROAD, 0)])
    result = one(tmp_path, frame, frame)
    assert result.stats() == dict(STQ=0.0, AQ=0.0, SQ=1.0)
    assert 'AQ is 0' in result.notes()[0]


def test_predicted_things_without_number_are_one_tube(tmp_path):
    truth = {'0000': [pixels([(CAR, 1), (CAR, 2)])] * 2}
    result = stq(tmp_path, truth, {'0000': [pixels([(CAR, 0), (CAR, 0)])] * 2})
    assert result.stats()['AQ'] == 0.5  # each car has half of the tube: 2 / 4
    numbered = stq(tmp_path / 'n', truth, {'0000': [pixels([(CAR, 7), (CAR, 8)])] * 2})
    assert numbered.stats()['AQ'] == 1


def test_predicted_void_is_one_more_class(tmp_path):
    truth = pixels([(ROAD, 0), (ROAD, 0), (VOID, 0), (VOID, 0)])
    on_void = one(tmp_path / 'a', truth, pixels([(ROAD, 0)] * 2 + [(VOID, 0), (ROAD, 0)]))
    assert on_void.stats()['SQ'] == 1
    labelled = one(tmp_path / 'b', truth, pixels([(ROAD, 0), (VOID, 0), (ROAD, 0), (ROAD, 0)]))
    assert labelled.stats()['SQ'] == pytest.approx((1 / 2 + 0) / 2)


def test_the_same_number_in_two_classes_is_two_tubes(tmp_path):
    frame = pixels([(CAR, 1), (PERSON, 1)])
    assert one(tmp_path, frame, frame).num_tubes == 2


def test_aq_is_the_mean_over_the_tubes_of_all_sequences(tmp_path):
    truth = {
        '0000': [pixels([(CAR, 1), (CAR, 2), (CAR, 3)])],
        '0001': [pixels([(CAR, 1), (ROAD, 0)])],
    }
    pred = {'0000': truth['0000'], '0001': [pixels([(ROAD, 0), (ROAD, 0)])]}
    assert stq(tmp_path, truth, pred).stats()['AQ'] == 3 / 4  # not (1 + 0) / 2


def test_vpq_is_over_windows_of_1_to_4_frames(tmp_path):
    frame, other = pixels([(CAR, 1), (ROAD, 0)]), pixels([(CAR, 2), (ROAD, 0)])
    truth = {'0000': [frame] * 4}
    result = evaluate_vpq(*files(tmp_path, truth, {'0000': [frame, frame, other, other]}))
    assert [*result.sums] == [1, 2, 3, 4]
    # of the windows of two frames two hold a car whole, one halves it: below the threshold
    car = [result.per_class(k)[CAR] for k in (1, 2, 3, 4)]
    assert car[0] == 1
    assert car[1] == pytest.approx(2 / (2 + 1 + 1 / 2))
    # two thirds of each window of three are one car, the other third is wrong
    assert car[2] == pytest.approx(2 * (2 / 3) / (2 + 2 / 2))
    assert car[3] == 0
    assert result.mean() == pytest.approx(np.mean([result.quality(k) for k in (1, 2, 3, 4)]))
    assert [*result.numbers()['All']] == ['1', '2', '3', '4', 'mean_1_2_3_4']


def test_a_prediction_on_a_crowd_of_its_class_is_not_wrong_in_vpq(tmp_path):
    truth = pixels([(CAR, 0), (CAR, 0), (ROAD, 0)])
    pred = pixels([(CAR, 1), (CAR, 1), (ROAD, 0)])
    result = evaluate_vpq(*files(tmp_path, {'0000': [truth]}, {'0000': [pred]}), windows=(1,))
    assert result.sums[1][CAR].tolist() == [0, 0, 0, 0]


def samples(pred):
    """Results in memory: the segments of each sequence."""
    meta = dict(category_ids=[PERSON, CAR, ROAD, SIDEWALK], classes=[])
    meta['classes'] = [NAMES[c] for c in meta['category_ids']]
    result = []
    for name, frames in pred.items():
        pairs = sorted({tuple(pair) for f in frames for pair in np.reshape(f, (-1, 2)).tolist()})
        pairs = [pair for pair in pairs if pair[0] != VOID]
        segments = [
            Segment(n, meta['category_ids'].index(c), c in THINGS, 0.5, n)
            for n, (c, _) in enumerate(pairs, 1)
        ]
        maps = CodedMaps()
        for frame in frames:
            ids = np.zeros(np.shape(frame)[:2], np.uint16)
            for number, pair in enumerate(pairs, 1):
                ids[(np.asarray(frame) == pair).all(-1)] = number
            maps.append(ids)
        sample = VideoDataSample(metainfo=dict(video_id=name))
        sample.pred = VideoPanoptic(segments, maps)
        result.append(sample)
    return meta, [sample.to_dict() for sample in result]


@given(sequences())
@settings(max_examples=5, deadline=None)
def test_the_metric_equals_the_evaluation_of_files(tmp_path_factory, scene):
    folder = tmp_path_factory.mktemp('metric')
    truth, found = files(folder, *scene)
    metric = STEPMetric(folder / 'gt', 'kitti_step')
    metric.dataset_meta, data_samples = samples(scene[1])
    metric.process(None, data_samples)
    numbers = metric.evaluate(2)
    assert {f'step/{name}' for name in STEPMetric.number_names()} == numbers.keys()
    vpq = evaluate_vpq(truth, found)
    expected = evaluate_stq(truth, found).stats()
    expected |= dict(VPQ=vpq.mean(), VPQ_things=vpq.mean(group='Things'), VPQ_2=vpq.quality(2))
    for name, value in expected.items():
        assert numbers[f'step/{name}'] == pytest.approx(value, abs=1e-12, nan_ok=True)
    scores = score_panoptic(truth, folder / 'pred').numbers
    assert scores['STQ'] == pytest.approx(evaluate_stq(truth, found).stats(), nan_ok=True)


def test_the_metric_wants_all_sequences(tmp_path):
    frame = pixels([(CAR, 1), (ROAD, 0)])
    scene = {'0000': [frame], '0001': [frame]}
    write_step_maps(tmp_path, scene)
    metric = STEPMetric(tmp_path, 'kitti_step')
    metric.dataset_meta, data_samples = samples(scene)
    metric.process(None, data_samples[:1])
    with pytest.raises(UserError, match='1 of 2 videos were not predicted, the first is 0001'):
        metric.evaluate(1)
    metric = STEPMetric(tmp_path, 'kitti_step', sequences=['0000'])
    metric.dataset_meta = samples(scene)[0]
    metric.process(None, data_samples[:1])
    assert metric.evaluate(1)['step/STQ'] == 1
    with pytest.raises(UserError, match='has no sequence 0018'):
        STEPMetric(tmp_path, 'kitti_step', sequences=['0000', '0018'])


def test_segments_keep_class_and_number(tmp_path):
    truth, _ = files(tmp_path, *[{'0000': [pixels([(CAR, 300), (VOID, 0)])]}] * 2)
    assert [split_id(i) for i in truth.videos['0000'].segment_ids().tolist()] == [(CAR, 300)]
