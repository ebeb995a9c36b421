"""The rules of DAVIS's unsupervised task: proposals, their assignment, what is ignored."""

import json
from itertools import permutations

import cv2
import numpy as np
import pytest
import youtube_vis_content
from pycocotools import mask as coco_mask

from mmvseg.errors import UserError
from mmvseg.evaluation import DAVISMetric
from mmvseg.evaluation.davis_rules import DAVISRules
from mmvseg.evaluation.functional.davis import judge_video
from mmvseg.evaluation.functional.region_contour import (
    FrameMasks,
    contour_accuracy,
    region_similarity,
)
from mmvseg.structures import VideoInstances

SIZE = (24, 32)


def box(y, x, height=8, width=8):
    mask = np.zeros(SIZE, bool)
    mask[y : y + height, x : x + width] = True
    return mask


A, B, C = box(2, 2), box(2, 20), box(14, 10)
A_HALF = box(2, 2, 8, 4)


def code(mask):
    if mask is None:
        return None
    rle = coco_mask.encode(np.asfortranarray(mask, np.uint8))
    return dict(size=list(SIZE), counts=rle['counts'].decode())


def content(objects, length=2, videos=1):
    """Objects are lists of masks, or tuples of them and further keys."""
    annotations = []
    for masks in objects:
        masks, more = masks if isinstance(masks, tuple) else (masks, {})
        entry = dict(id=1 + len(annotations), video_id=1, category_id=1, iscrowd=0)
        annotations.append(entry | dict(segmentations=[*map(code, masks)]) | more)
    names = [[f'{v}/{t}.jpg' for t in range(length)] for v in range(1, videos + 1)]
    return dict(
        videos=[
            dict(id=v, height=SIZE[0], width=SIZE[1], file_names=n) for v, n in enumerate(names, 1)
        ],
        categories=[dict(id=1, name='object')],
        annotations=annotations,
    )


def results(*tracks, **common):
    """Tracks of falling score."""
    entries = [
        dict(video_id=1, category_id=1, score=1 - n / 100, segmentations=[*map(code, masks)])
        for n, masks in enumerate(tracks)
    ]
    return youtube_vis_content.results([entry | common for entry in entries])


def numbers(objects, found, **options):
    rules = DAVISRules(youtube_vis_content.records(content(objects, **options)))
    return rules.score(found, 'results').numbers


def test_perfect_proposals():
    values = numbers([[A, A], [B, None]], results([B, None], [A, A]))
    assert values == {'J&F': 1, 'J': 1, 'J_recall': 1, 'F': 1, 'F_recall': 1}


def test_values_of_frames_are_averaged_then_those_of_objects():
    # one object is half found in one of two frames, the other is found
    values = numbers([[A, A], [B, B]], results([A, A_HALF], [B, B]))
    assert values['J'] == pytest.approx((0.75 + 1) / 2)
    assert values['J_recall'] == pytest.approx((0.5 + 1) / 2)  # 0.5 itself is not above 0.5
    assert values['J&F'] == pytest.approx((values['J'] + values['F']) / 2)


def test_all_objects_of_all_videos_weigh_the_same():
    """Means over videos would give 0.5 for one video with three objects found and one with none."""
    objects = [[A, A], [B, B], [C, C], ([A, A], dict(video_id=2))]
    values = numbers(objects, results([A, A], [B, B], [C, C]), videos=2)
    assert values['J'] == pytest.approx(3 / 4)


def test_one_assignment_for_the_whole_video():
    """Each object keeps its proposal, although they change places in the last frame."""
    values = numbers([[A, A, A], [B, B, B]], results([A, A, B], [B, B, A]), length=3)
    assert values['J'] == pytest.approx(2 / 3)


@pytest.mark.parametrize('seed', range(6))
def test_the_assignment_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    masks = [[rng.random(SIZE) < p for _ in range(2)] for p in rng.uniform(0.2, 0.8, 5)]
    objects, proposals = masks[:2], [[m & ~masks[2][t] for t, m in enumerate(o)] for o in masks[3:]]
    proposals.insert(0, masks[2])
    proposals[2] = [m & ~proposals[1][t] for t, m in enumerate(proposals[2])]
    pairs = np.zeros((3, 2))
    for t in range(2):
        found = np.array([p[t] for p in proposals])
        truth = np.array([o[t] for o in objects])
        pairs += region_similarity(found, truth) / 2
        pairs += contour_accuracy(FrameMasks.of(found), FrameMasks.of(truth)) / 2
    best = max(pairs[i, 0] + pairs[j, 1] for i, j in permutations(range(3), 2))

    def codes(tracks):
        rles = [[code(mask) for mask in track] for track in tracks]
        return [[dict(r, counts=r['counts'].encode()) for r in track] for track in rles]

    judged = judge_video(codes(objects), [], codes(proposals), SIZE)
    got = sum(o.region.mean() + o.contour.mean() for o in judged)
    assert got == pytest.approx(best, abs=1e-12)


def test_superfluous_proposals_cost_nothing():
    few = numbers([[A, A]], results([A, A]))
    assert few == numbers([[A, A]], results([A, A], [B, B], [C, None]))
    assert few['J&F'] == 1


def test_an_object_without_a_proposal_is_right_where_it_is_absent():
    values = numbers([[A, A], [B, None]], results([A, A]))
    assert values['J'] == values['F'] == pytest.approx((1 + 0.5) / 2)


def test_masks_do_not_overlap_and_the_higher_score_is_in_front():
    whole = np.ones(SIZE, bool)
    assert numbers([[A, A]], results([A, A], [whole, whole]))['J'] == 1
    # the proposal of all pixels covers the other
    values = numbers([[A, A]], results([whole, whole], [A, A]))
    assert values['J'] == pytest.approx(64 / whole.size)


def test_the_best_20_of_equal_scores_the_first():
    nothing = [None, None]
    others = results(*[nothing] * 19)
    for found, expected in (
        ([*others, *results([A, A], score=0.1)], 1),
        ([*results([A, A], score=0.1), *results(*[nothing] * 20)], 0),
        ([*results([A, A], score=0.5), *results(*[nothing] * 20, score=0.5)], 1),
        ([*results([A, A], score=0.5), *results(*[nothing] * 20, score=0.6)], 0),
    ):
        for index, result in enumerate(found):
            result.index = index
        assert numbers([[A, A]], found)['J'] == expected


def test_more_than_20_are_said():
    rules = DAVISRules(youtube_vis_content.records(content([[A, A]])))
    scores = rules.score(results([A, A], *[[B, None]] * 20), 'results')
    assert scores.notes[0].startswith('gt: no pixel is void; where masks of DAVIS have void (255)')
    assert scores.notes[1:] == [
        'results: the 20 results of highest score count in each video; there are more in 1 video'
    ]
    assert '| J&F      | 100.0 |' in scores.tables


def test_void_is_taken_out_of_both():
    void = [box(2, 6, 8, 4), None]
    found = results([box(2, 2, 8, 12), A])
    values = numbers([[A_HALF, A], (void, dict(iscrowd=1))], found)
    # of 12 columns, 4 are void and 4 are false
    assert values['J'] == pytest.approx((0.5 + 1) / 2)
    assert numbers([[A_HALF, A]], found)['J'] == pytest.approx((4 / 12 + 1) / 2)


@pytest.fixture
def masks(tmp_path):
    """PNGs of DAVIS with void where the crowd of the test before lies."""
    for t, void in enumerate([box(2, 6, 8, 4), np.zeros(SIZE, bool)]):
        values = np.where(void, 255, np.where(A, 1, 0)).astype(np.uint8)
        path = tmp_path / f'masks/1/{t}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), values)
    return tmp_path / 'masks'


def test_void_of_the_masks_of_davis(masks, tmp_path):
    found = results([box(2, 2, 8, 12), A])
    records = youtube_vis_content.records(content([[A_HALF, A]]))
    scores = DAVISRules(records, masks).score(found, 'results')
    with_crowd = numbers([[A_HALF, A], ([box(2, 6, 8, 4), None], dict(iscrowd=1))], found)
    assert scores.numbers == with_crowd
    assert scores.notes == []
    (masks / '1/1.png').unlink()
    with pytest.raises(UserError, match=r'1/1\.png: cannot be read'):
        DAVISRules(records, masks).score(found, 'results')
    (tmp_path / 'gt.json').write_text(json.dumps(content([[A_HALF, A]])))
    with pytest.raises(UserError, match=r'1/1\.png: cannot be read'):
        evaluate(tmp_path / 'gt.json', sample(1, [A, A]), void=masks)


def test_masks_of_another_size_or_outside_are_refused(masks):
    cv2.imwrite(str(masks / '1/0.png'), np.zeros((3, 3), np.uint8))
    one = content([[A, A]])
    with pytest.raises(UserError, match=r'1/0\.png: '):
        DAVISRules(youtube_vis_content.records(one), masks).score(results([A, A]), 'results')
    one['videos'][0]['file_names'][0] = '../0.jpg'
    with pytest.raises(UserError, match='leads out of the folder of the masks'):
        DAVISRules(youtube_vis_content.records(one), masks).score(results([A, A]), 'results')


def test_categories_are_not_looked_at():
    assert numbers([[A, A]], results([A, A], category_id=77))['J'] == 1


def test_what_does_not_fit_is_refused():
    for objects, found, words in (
        ([[A, None], [B, None]], results([A, A]), 'annotated in the first frames of videos alone'),
        ([[A, A]], [], 'results: holds no predictions'),
        ([[A, A]], results([A, A], video_id=5), 'entry 0: video_id 5 is not in gt'),
        ([[A, A]], results([A]), 'entry 0: 1 segmentation, but video 1 has 2 frames; this is'),
        ([], results([A, A]), 'gt: has no objects'),
        ([([A, A], dict(iscrowd=1))], results([A, A]), 'gt: has no objects'),
    ):
        with pytest.raises(UserError, match=words):
            numbers(objects, found)


def test_videos_of_one_frame_can_be_scored():
    assert numbers([[A]], results([A]), length=1)['J'] == 1


@pytest.fixture
def ann_file(tmp_path):
    objects = [[A, A], [B, None], ([C, C], dict(video_id=2))]
    (tmp_path / 'gt.json').write_text(json.dumps(content(objects, videos=2)))
    return tmp_path / 'gt.json'


def sample(video_id, *tracks):
    masks = [
        [m and dict(m, counts=m['counts'].encode()) for m in map(code, track)] for track in tracks
    ]
    scores = np.linspace(1, 0.5, len(tracks))
    none = np.zeros(len(tracks), int)
    return dict(video_id=video_id, pred=VideoInstances(scores, none, masks, none))


def evaluate(ann_file, *samples, **options):
    metric = DAVISMetric(ann_file, **options)
    metric.dataset_meta = dict(classes=('object',), category_ids=(1,))
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def test_the_metric_gives_the_numbers_of_the_rules(ann_file):
    found = [[A, A_HALF], [B, None]], [[C, C]]
    got = evaluate(ann_file, sample(2, *found[1]), sample(1, *found[0]))
    assert [*got] == [f'davis/{name}' for name in DAVISMetric.number_names()]
    entries = results(*found[0]) + results(*found[1], video_id=2)
    rules = DAVISRules(youtube_vis_content.records(json.loads(ann_file.read_text())))
    expected = rules.score(entries, 'results').numbers
    assert got == pytest.approx({f'davis/{name}': v for name, v in expected.items()})


def test_a_video_without_results_counts(ann_file):
    one = evaluate(ann_file, sample(1, [A, A], [B, None]))
    assert one['davis/J'] == pytest.approx(2 / 3)
    assert one == evaluate(ann_file, sample(1, [A, A], [B, None]), sample(2))


def test_nothing_to_measure_gives_no_numbers(ann_file):
    assert evaluate(ann_file, sample(1), sample(2)) == {}
    with pytest.raises(UserError, match=r'gt\.json: has no video 5'):
        evaluate(ann_file, sample(5, [A, A]))
    ann_file.write_text(json.dumps(content([], videos=2)))
    assert evaluate(ann_file, sample(1, [A, A])) == {}
