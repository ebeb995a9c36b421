import time

import cv2
import numpy as np
import pytest
from pycocotools import mask as mask_api

from mmvseg.structures import VideoInstances
from mmvseg.visualization import FrameObject, draw_objects, frame_objects, track_color
from mmvseg.visualization.overlay import crop_mask
from mmvseg.visualization.text import render_text, upscaling


def encode(mask):
    return mask_api.encode(np.asfortranarray(mask.astype(np.uint8)))


def disc(height, width, center, radius):
    return cv2.circle(np.zeros((height, width), np.uint8), center, radius, 1, -1)


def test_neighbouring_tracks_have_distant_colours():
    colors = np.array([track_color(track) for track in range(40)], float)
    assert len(np.unique(colors, axis=0)) == 40
    for first in range(32):
        near = colors[first + 1 : first + 6]
        assert np.abs(near - colors[first]).sum(1).min() > 60
    assert track_color(7) == track_color(7)


def test_mask_is_tinted_and_the_rest_untouched():
    image = np.full((60, 80, 3), 100, np.uint8)
    mask = disc(60, 80, (40, 30), 15)
    drawn = draw_objects(image, [FrameObject(encode(mask), 3)])
    assert (image == 100).all()  # drawn on a copy
    inner = cv2.erode(mask, np.ones((7, 7))) > 0
    outer = cv2.dilate(mask, np.ones((7, 7))) == 0
    expected = 0.55 * 100 + 0.45 * np.array(track_color(3))
    assert np.abs(drawn[inner] - expected).max() <= 1
    assert (drawn[outer] == 100).all()
    rim = (cv2.dilate(mask, np.ones((3, 3))) > 0) & ~(cv2.erode(mask, np.ones((3, 3))) > 0)
    assert (np.abs(drawn[rim] - np.array(track_color(3))).sum(1) < 30).any()  # the contour


def test_colour_depends_on_the_track_alone():
    image = np.zeros((60, 80, 3), np.uint8)
    mask = encode(disc(60, 80, (40, 30), 15))
    alone = draw_objects(image, [FrameObject(mask, 5)])
    other = FrameObject(encode(disc(60, 80, (5, 5), 3)), 1)
    beside = draw_objects(image, [other, FrameObject(mask, 5)])
    np.testing.assert_array_equal(alone[30, 40], beside[30, 40])


def test_first_object_lies_on_top_and_a_shared_track_is_filled_once():
    image = np.zeros((60, 80, 3), np.uint8)
    mask = encode(disc(60, 80, (40, 30), 15))
    once = draw_objects(image, [FrameObject(mask, 5)])
    twice = draw_objects(image, [FrameObject(mask, 5), FrameObject(mask, 5)])
    np.testing.assert_array_equal(once[30, 40], twice[30, 40])
    top = draw_objects(image, [FrameObject(mask, 5), FrameObject(mask, 6)])[30, 40]
    below = draw_objects(image, [FrameObject(mask, 6), FrameObject(mask, 5)])[30, 40]
    assert (
        np.abs(top - np.array(track_color(5)) * 0.45).sum()
        < np.abs(below - np.array(track_color(5)) * 0.45).sum()
    )


def test_label_lies_in_the_frame_and_labels_do_not_overlap():
    image = np.zeros((240, 320, 3), np.uint8)
    masks = [disc(240, 320, center, 10) for center in [(0, 0), (319, 0), (160, 239), (160, 120)]]
    objects = [FrameObject(encode(m), i, f'thing #{i} 0.50') for i, m in enumerate(masks)]
    objects.append(FrameObject(encode(masks[3]), 9, 'other #9 0.40'))
    drawn = draw_objects(image, objects)
    height, width = render_text('thing #0 0.50', 10).shape
    for item in objects:
        # A label is the only place with many pixels of the pure colour.
        pure = (drawn == track_color(item.track_id)).all(axis=2).sum()
        assert pure > 0.4 * height * width


def test_label_stands_at_the_largest_part():
    mask = disc(240, 320, (60, 170), 30)
    mask[5:9, 300:304] = 1  # a fragment far away
    drawn = draw_objects(np.zeros((240, 320, 3), np.uint8), [FrameObject(encode(mask), 1, 'one')])
    rows, columns = np.nonzero((drawn == track_color(1)).all(axis=2))
    assert 110 < np.median(rows) < 140  # above the disc
    assert 40 < np.median(columns) < 80


@pytest.mark.parametrize('shape', [(8, 8), (1, 1), (20, 400), (400, 20)])
def test_tiny_and_narrow_frames(shape):
    mask = encode(np.ones(shape))
    drawn = draw_objects(np.zeros((*shape, 3), np.uint8), [FrameObject(mask, 1, 'person #1 0.99')])
    assert drawn.shape == (*shape, 3)
    assert drawn.any()


def test_empty_masks_are_skipped():
    image = np.zeros((20, 20, 3), np.uint8)
    drawn = draw_objects(image, [FrameObject(encode(np.zeros((20, 20))), 1, 'x #1 0.50')])
    assert not drawn.any()


def test_upscaled_drawing_matches_the_mask():
    mask = np.zeros((24, 32), np.uint8)
    mask[8:16, 8:24] = 1
    drawn = draw_objects(np.zeros((24, 32, 3), np.uint8), [FrameObject(encode(mask), 2)], scale=4)
    assert drawn.shape == (96, 128, 3)
    assert (drawn[36:60, 36:92] > 0).any(axis=2).all()
    assert not drawn[:28].any()
    assert (upscaling((96, 128)), upscaling((720, 1280))) == (4, 1)


def test_text_size_changes_the_label():
    item = [FrameObject(encode(disc(240, 320, (160, 120), 10)), 1, 'person #1 0.99')]
    image = np.zeros((240, 320, 3), np.uint8)
    small, large = (draw_objects(image, item, text_size=size).any(axis=2) for size in (10, 30))
    assert large.sum() > 3 * small.sum()


def test_crop_mask_equals_the_decoded_mask():
    rng = np.random.default_rng(0)
    for _ in range(20):
        mask = (rng.random((17, 23)) > 0.9).astype(np.uint8)
        x, y, crop = crop_mask(encode(mask))
        rebuilt = np.zeros_like(mask)
        rebuilt[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
        np.testing.assert_array_equal(rebuilt, mask)


def test_frame_objects_orders_and_labels():
    mask = encode(np.ones((4, 4)))
    instances = VideoInstances(
        scores=np.array([0.2, 0.876]),
        labels=np.array([1, 0]),
        masks=[[mask, mask], [None, mask]],
        track_ids=np.array([4, 7]),
    )
    assert [o.label for o in frame_objects(instances, 0, ['cat', 'dog'])] == ['dog #4 0.20']
    both = frame_objects(instances, 1, ['cat', 'dog'])
    assert [o.label for o in both] == ['cat #7 0.88', 'dog #4 0.20']
    unscored = frame_objects(instances, 1, ['cat', 'dog'], scores=False)
    assert [o.label for o in unscored] == ['cat #7', 'dog #4']
    assert frame_objects(instances, 2, ['cat', 'dog']) == []  # beyond the masks


def test_ten_masks_at_720p_are_drawn_fast():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (720, 1280, 3), dtype=np.uint8)
    objects = []
    for track in range(10):
        center = tuple(int(v) for v in rng.uniform(0, 1, 2) * (1280, 720))
        mask = disc(720, 1280, center, int(rng.uniform(40, 160)))
        objects.append(FrameObject(encode(mask), track, f'person #{track} 0.50'))
    draw_objects(image, objects)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        draw_objects(image, objects)
        times.append(time.perf_counter() - start)
    # 25 ms on an idle core; the margin is for busy machines, full-frame drawing takes 10 times it.
    assert min(times) < 0.15
