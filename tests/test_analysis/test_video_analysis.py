import numpy as np
import pytest
import youtube_vis_content
from analysis_scenes import analyze, videos_of
from track_scenes import content, entries

from mmvseg.analysis.tubes import match, predicted_tubes
from mmvseg.analysis.video_analysis import analyzed_videos
from mmvseg.errors import UserError
from mmvseg.evaluation.functional.tube_iou import make_tube, tube_iou


def test_overlaps_are_those_of_tubes():
    overlap = analyze(['aaa.', 'b.bb'], ['AA.a', '22bb', '0.3.']).overlap
    tubes = [[make_tube(e.rles) for e in part] for part in (overlap.tracks, overlap.objects)]
    found = match(predicted_tubes(overlap), overlap)
    np.testing.assert_array_equal(found.iou, tube_iou(*tubes))
    assert overlap.object_common[0, 1].sum() == 0
    np.testing.assert_array_equal(overlap.object_common[0, 0], overlap.object_areas[0])


def test_right_tracks_by_their_entries():
    video = analyze(['aaaa', 'bbbb'], ['dddd', 'bbbb', 'aaaa'])
    assert video.matched == {1: 2, 2: 1}
    np.testing.assert_array_equal(video.shown, [[-1] * 4, [1] * 4, [0] * 4])


def test_crowds_are_neither_missed_nor_make_tracks_wrong():
    truth = content(entries(['aaaa'], iscrowd=1) + entries(['bbbb']), [4])
    (video,) = videos_of(truth, entries(['aaaa', 'bbbb']))
    assert video.errors == []
    assert video.matched == {1: 2}


def test_more_than_a_hundred_tracks_of_a_class_do_not_count():
    video = analyze(['aaaa'], ['dddd'] * 100 + ['aaaa'])
    assert not video.found.matching.right.any()
    assert video.found.matching.wrong.sum() == 100


def test_categories_that_are_not_listed_are_left_out():
    truth = content(entries(['aaaa']), [4])
    results = entries(['aaaa'], category_id=7) + entries(['aaaa'])
    (video,) = videos_of(truth, results)
    assert [track.index for track in video.overlap.tracks] == [1]
    assert video.errors == []


def test_videos_come_in_the_order_of_the_file():
    truth = content(entries(['aa'], video_id=2), [3, 2])
    videos = videos_of(truth, entries(['aa'], video_id=2))
    assert [video.overlap.video.id for video in videos] == [1, 2]
    assert videos[0].errors == videos[1].errors == []


def test_a_result_of_another_length_is_refused():
    truth = content(entries(['aaaa']), [4])
    with pytest.raises(UserError, match='results: entry 0: 3 segmentations, but video 1 has 4'):
        videos_of(truth, entries(['aaa']))


def test_without_annotations_there_is_nothing_to_analyze():
    records = youtube_vis_content.records(content([], [4]))
    with pytest.raises(UserError, match='has no annotations'):
        next(analyzed_videos(records, [], 'results'))
