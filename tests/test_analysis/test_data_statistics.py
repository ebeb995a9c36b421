"""What a data set holds, counted on scenes of a letter a frame."""

import pytest
import youtube_vis_content
from track_scenes import WIDTH, content, entries

from mmvseg.analysis.data_statistics import dataset_statistics


def statistics(annotations, lengths, num_categories=1):
    truth = content(annotations, lengths, num_categories)
    return dataset_statistics(youtube_vis_content.records(truth))


def test_objects():
    seen, never = statistics(entries(['.aA..a.a.', '0........']), [9]).objects
    assert (seen.id, seen.video_id, seen.category_id, seen.is_crowd) == (1, 1, 1, False)
    assert (seen.num_frames, seen.first, seen.last) == (4, 1, 7)
    assert seen.gaps == ((3, 4), (6, 6))
    assert seen.mean_area == (8 + 6 + 8 + 8) / 4
    assert seen.area_share == pytest.approx(seen.mean_area / WIDTH)
    assert seen.occlusion is None
    # a mask without pixels is not seen
    assert (never.num_frames, never.first, never.last, never.gaps) == (0, None, None, ())
    assert (never.mean_area, never.area_share) == (0, 0)


def test_occlusion_is_counted_where_the_object_is_seen():
    levels = ['no_occlusion', 'severe_occlusion', 'severe_occlusion', None]
    annotations = [*entries(['aa.a', 'bbb.'], occlusion=levels), *entries(['cccc'])]
    first, second, third = statistics(annotations, [4]).objects
    assert first.occlusion == dict(no_occlusion=1, severe_occlusion=1)
    assert second.occlusion == dict(no_occlusion=1, severe_occlusion=2)
    assert third.occlusion is None
    short = entries(['aaaa'], occlusion=levels[:1])
    assert statistics(short, [4]).objects[0].occlusion == dict(no_occlusion=1)


def test_videos():
    annotations = [
        *entries(['aa..', '.bbb', '...c'], category_id=2),
        *entries(['d...'], category_id=1),
        *entries(['aa'], category_id=2, video_id=2, iscrowd=1),
    ]
    found = statistics(annotations, [4, 2, 3], num_categories=3)
    first, second, third = found.videos
    assert (first.id, first.name, first.num_frames) == (1, 'video_1', 4)
    assert (first.height, first.width) == (1, WIDTH)
    assert (first.num_objects, first.most_objects, first.category_ids) == (4, 2, (1, 2))
    assert (second.num_objects, second.most_objects, second.category_ids) == (1, 1, (2,))
    assert (third.num_objects, third.most_objects, third.category_ids) == (0, 0, ())
    assert [entry.is_crowd for entry in found.objects] == [False] * 4 + [True]


def test_classes():
    annotations = [
        *entries(['aa..', '.bb.', '...c'], category_id=2),
        *entries(['aa'], category_id=2, video_id=2),
        *entries(['b.'], category_id=1, video_id=2),
    ]
    found = statistics(annotations, [4, 2], num_categories=3)
    shown = [
        (c.name, c.num_objects, c.num_videos, c.num_frames, c.num_masks) for c in found.classes
    ]
    assert shown == [('class_1', 1, 1, 1, 1), ('class_2', 4, 2, 6, 7), ('class_3', 0, 0, 0, 0)]
    assert (found.num_frames, found.num_masks, found.has_annotations) == (6, 8, True)
    assert found.file == 'gt'


def test_objects_that_training_leaves_out_do_not_count():
    annotations = [*entries(['aa']), *entries(['bb'], category_id=9), *entries(['cc'], video_id=9)]
    found = statistics(annotations, [2])
    assert [entry.id for entry in found.objects] == [1]
    assert (found.videos[0].num_objects, found.videos[0].most_objects) == (1, 1)


def test_without_annotations():
    found = statistics([], [2])
    assert not found.has_annotations
    assert (found.objects, found.num_masks, found.num_frames) == ([], 0, 2)
