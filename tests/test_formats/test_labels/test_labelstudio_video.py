"""Label Studio: boxes in videos, between key frames and by their times."""

import json

import numpy as np
import pytest
from label_reading import box_mask, objects_of, picture, read_labels, video_file

from mmvseg.errors import UserError

SIZE = 16, 32


def key(frame, x=0, enabled=True, **more):
    """A key frame whose box is 8 x 4 pixels at ``x``, 4."""
    box = dict(x=x / SIZE[1] * 100, y=25, width=25, height=25, rotation=0, enabled=enabled)
    return box | dict(frame=frame, time=(frame - 1) / 25) | more


def region(*sequence, id_='r1', count=6, **more):
    value = dict(framesCount=count, duration=1, sequence=sequence, labels=['cup']) | more
    return dict(type='videorectangle', id=id_, from_name='box', to_name='video', value=value)


def read_video(tmp_path, *regions, frames=6, **options):
    """The only video, its frames are pictures."""
    annotations = [dict(id=1, result=regions, was_cancelled=False)]
    tasks = [dict(id=5, data=dict(video='/data/local-files/?d=clip.mp4'), annotations=annotations)]
    (tmp_path / 'export.json').write_text(json.dumps(tasks))
    for index in range(frames):
        picture(tmp_path / f'frames/clip/{index}.png', SIZE)
    read = read_labels('labelstudio', tmp_path, **options)
    return read.videos['clip'], read.report


def left_edges(masks):
    """First column of a box in each frame, None where it is absent."""
    return [int(np.nonzero(mask)[1].min()) if mask.any() else None for mask in masks]


def edges_of(tmp_path, *sequence, **more):
    video, _ = read_video(tmp_path, region(*sequence, **more))
    return left_edges(objects_of(video)['r1'])


def test_between_key_frames_a_box_moves_evenly(tmp_path):
    assert edges_of(tmp_path, key(1), key(6, 20)) == [0, 4, 8, 12, 16, 20]


def test_before_its_first_key_frame_there_is_no_box_and_after_the_last_it_stays(tmp_path):
    assert edges_of(tmp_path, key(3, 8)) == [None, None, 8, 8, 8, 8]


def test_a_box_is_gone_after_a_frame_that_is_not_enabled(tmp_path):
    keys = key(1), key(3, 8, enabled=False), key(5, 12)
    assert edges_of(tmp_path, *keys) == [0, 4, 8, None, 12, 12]
    assert edges_of(tmp_path, key(1), key(2, 4, enabled=False)) == [0, 4, *[None] * 4]


def test_key_frames_come_in_any_order_and_may_be_computed(tmp_path):
    keys = [key(frame, 2 * frame, auto=frame in (2, 3)) for frame in (4, 2, 1, 3)]
    assert edges_of(tmp_path, *keys) == [2, 4, 6, 8, 8, 8]


def test_all_of_a_box_moves(tmp_path):
    small = key(1, 0, width=12.5, height=25)
    video, _ = read_video(tmp_path, region(small, key(3, 8, width=37.5, height=50)))
    assert (objects_of(video)['r1'][1] == box_mask(SIZE, 4, 4, 12, 10)).all()
    turned = region(key(1, 16), key(3, 16, rotation=180))
    video, _ = read_video(tmp_path, turned)
    masks = objects_of(video)['r1']
    assert (masks[1] == box_mask(SIZE, 12, 4, 16, 12)).all()  # a quarter turn
    assert (masks[2] == box_mask(SIZE, 8, 0, 16, 4)).all()


def test_regions_of_a_video_are_objects_whatever_their_text(tmp_path):
    regions = [region(key(1), id_=id_) | dict(meta=dict(text=['x'])) for id_ in ('a', 'b')]
    video, report = read_video(tmp_path, *regions)
    assert [labelled.track for labelled in video.objects] == ['a', 'b']
    assert report.notes == []


def test_a_count_of_another_frame_rate_is_refused_for_pictures(tmp_path):
    with pytest.raises(UserError, match=r'framesCount is 25, the video has 6 frames.*--video'):
        read_video(tmp_path, region(key(1), key(25, 8), count=25))


def test_a_count_of_another_frame_rate_is_turned_by_time_for_a_file(tmp_path):
    video_file(tmp_path / 'clip.mp4', 10, fps=10, size=SIZE)
    # one second, which the page took for 25 frames
    turned = region(key(1, 0), key(11, 8), key(16, 8, enabled=False), count=25)
    video, report = read_video(tmp_path, turned, frames=0)
    edges = left_edges(objects_of(video)['r1'])
    assert edges == [0, 2, 4, 6, 8, 8, 8, None, None, None]
    assert 'framesCount is 25, the video has 10 frames' in report.notes[0]
    assert '10 frames a second' in report.notes[0]
    with pytest.raises(UserError, match='frame 11 has no time'):
        read_video(tmp_path, region(key(1), key(11, time=None), count=25), frames=0)


def test_frames_of_the_video_file_are_needed(tmp_path):
    with pytest.raises(UserError, match=r'video clip.*give their folder with --frames'):
        read_video(tmp_path, region(key(1)), frames=0)


BROKEN = [
    (region(key(1), key(9)), 'frames 1 to 8 of a video of 6'),
    (region(key(0), key(3)), 'frames 0 to 2'),
    (region(key(9)), 'frames 9 to 9'),
    (region(key(2), key(2)), 'two key frames at frame 2'),
    (region(), 'has no mask in any frame'),
    (region(key(1, y='top')), 'y'),
    (region(key(1, width=1e9)), 'far outside'),
    (region(key(1), labels=[]), 'region r1: it has no label'),
    (region(key(1)) | dict(type='rectanglelabels'), 'type rectangle in a video'),
    (region(key(1)) | dict(type='videovector'), 'videovector.*not verified'),
    (region(key(1)) | dict(value=dict(labels=['cup'])), 'sequence'),
]


@pytest.mark.parametrize(('broken', 'message'), BROKEN)
def test_a_broken_region_is_named_and_can_be_left_out(tmp_path, broken, message):
    with pytest.raises(UserError, match=message) as error:
        read_video(tmp_path, broken, region(key(1), id_='ok'))
    assert 'export.json' in str(error.value)
    assert 'video clip' in str(error.value)
    assert 'r1' in str(error.value)
    video, report = read_video(tmp_path, broken, region(key(1), id_='ok'), skip_bad=True)
    assert 'ok' in [labelled.track for labelled in video.objects]
    assert report.left_out


def test_a_video_region_of_a_picture_is_refused(tmp_path):
    annotations = [dict(id=1, result=[region(key(1))])]
    tasks = [dict(id=5, data=dict(image='clip/0.png'), annotations=annotations)]
    (tmp_path / 'export.json').write_text(json.dumps(tasks))
    picture(tmp_path / 'clip/0.png', SIZE)
    with pytest.raises(UserError, match='type videorectangle in a picture'):
        read_labels('labelstudio', tmp_path)
