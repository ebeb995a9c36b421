"""Scenes with one known error each give exactly that error, and no oracle gains but its own."""

import pytest
import youtube_vis_content
from analysis_scenes import analyze, oracle_numbers, videos_of
from track_scenes import content, entries

from mmvseg.analysis.tube_kinds import KINDS

#: objects, tracks, categories of the tracks, kind
SCENES = dict(
    switch=(['aaaaaaaa', 'bbbbbbbb'], ['aaaabbbb', 'bbbbaaaa'], (), 'association'),
    cut=(['aaaaaaaa'], ['aaaa....', '....aaaa'], (), 'association'),
    merged=(['aaaa....', '....bbbb'], ['aaaabbbb'], (), 'association'),
    class_=(['aaaa'], ['aaaa'], (2,), 'class'),
    mask=(['aaaa', 'bbbb'], ['AAAA', 'bbbb'], (), 'mask'),
    short=(['aaaaaaaa'], ['aaa.....'], (), 'extent'),
    long=(['aaa.....'], ['aaaccccc'], (), 'extent'),
    duplicate=(['aaaa', 'bbbb'], ['aaaa', 'aaaa', 'bbbb'], (), 'duplicate'),
    copy=(['aaaaaaaa', 'bbbb....'], ['aaaaaaaa', 'aaa.....', 'bbbb....'], (), 'duplicate'),
    false=(['aaaa', 'bbbb'], ['aaaa', 'dddd', 'bbbb'], (), 'false'),
    missed=(['aaaa', 'bbbb'], ['aaaa'], (), 'missed'),
)


@pytest.mark.parametrize('name', SCENES)
def test_one_error(name):
    objects, tracks, categories, kind = SCENES[name]
    video = analyze(objects, tracks, categories, num_categories=2)
    assert {error.kind for error in video.errors} == {kind}
    numbers = oracle_numbers([video], [1, 2])
    gains = {k: gain['AP'] for k, gain in numbers['alone'].items()}
    missing = 1 - numbers['predicted']['AP']
    assert missing > 0.05
    assert gains == {k: pytest.approx(missing if k == kind else 0) for k in KINDS}
    in_order = {k: gain['AP'] for k, gain in numbers['in_order'].items()}
    assert in_order == pytest.approx(gains)
    assert numbers['mended'] == dict(AP=pytest.approx(1), AP50=pytest.approx(1))


def test_perfect_results_have_no_errors():
    video = analyze(['aaaa', '.bb.'], ['aaaa', '.bb.'])
    numbers = oracle_numbers([video])
    assert video.errors == []
    assert numbers['predicted']['AP'] == pytest.approx(1)
    for part in ('alone', 'in_order'):
        assert all(gain == dict(AP=0, AP50=0) for gain in numbers[part].values())


def test_gains_in_order_add_up_to_what_is_missing():
    video = analyze(
        ['aaaaaaaa', 'bbbbbbbb', 'cccccccc', 'dd......'],
        ['aaaabbbb', 'bbbbaaaa', 'CCC.....', 'eeeeeeee', 'CCC.....'],
    )
    numbers = oracle_numbers([video])
    total = sum(gain['AP'] for gain in numbers['in_order'].values())
    assert numbers['predicted']['AP'] + total == pytest.approx(1)
    assert numbers['in_order']['association']['AP'] > 0
    assert numbers['in_order']['missed']['AP'] > 0


def test_without_annotations_of_the_classes_there_is_no_gain():
    assert oracle_numbers([])['predicted']['AP'] == -1


def test_equal_scores_rank_by_video_as_officially():
    objects = entries(['aaaa']) + entries(['aaaa'], video_id=2)
    truth = content(objects, [4, 4])
    truth['videos'].reverse()
    results = entries(['aaaa'], score=0.5) + entries(['dddd'], video_id=2, score=0.5)
    ground_truth = youtube_vis_content.ground_truth(truth)
    official = youtube_vis_content.evaluate(ground_truth, results).stats()
    numbers = oracle_numbers(videos_of(truth, results))['predicted']
    assert numbers == dict(AP=official['AP'], AP50=official['AP50'])
