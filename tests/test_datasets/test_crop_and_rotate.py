from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmvseg.datasets import CropClip, FlipClip, PackClip, ResizeClip, RotateClip
from mmvseg.datasets.transforms.bit_masks import BitMasks
from mmvseg.datasets.transforms.frame_annotations import FrameAnnotations
from mmvseg.errors import UserError


def make_results(height=30, width=40, frames=3) -> dict:
    """The same picture in every frame: a square, and a dot in the corner."""
    image = np.random.default_rng(0).integers(0, 255, (height, width, 3)).astype(np.uint8)
    masks = np.zeros((2, height, width), np.uint8)
    masks[0, 10:20, 12:24] = 1
    masks[1, 0, 0] = 1
    boxes = np.array([[12, 10, 24, 20], [0, 0, 1, 1]], np.float32)
    coded = BitMasks.from_dense(masks)
    annotations = FrameAnnotations(boxes, np.array([3, 4]), coded, np.array([50, 51]))
    return dict(
        imgs=[image.copy() for _ in range(frames)],
        frames=[annotations] * frames,
        img_shape=(height, width),
        ori_shape=(height, width),
        frame_ids=list(range(frames)),
        flip=False,
        scale_factor=(1.0, 1.0),
    )


def assert_boxes_are_tight(annotations):
    for box, mask in zip(annotations.bboxes, annotations.masks, strict=True):
        y, x = np.nonzero(mask)
        assert box.tolist() == [x.min(), y.min(), x.max() + 1, y.max() + 1]


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_crop_cuts_one_window_out_of_all_frames(seed):
    np.random.seed(seed)
    before = make_results()
    results = CropClip((8, 35), scale=(40, 30), prob=1).transform(make_results())
    height, width = results['img_shape']
    assert 8 <= height <= 30  # the frame is lower than 35
    assert 8 <= width <= 35
    image = results['imgs'][0]
    assert image.shape == (height, width, 3)
    windows = [
        (y, x)
        for y in range(31 - height)
        for x in range(41 - width)
        if np.array_equal(before['imgs'][0][y : y + height, x : x + width], image)
    ]
    ((y, x),) = windows
    for other, annotations in zip(results['imgs'], results['frames'], strict=True):
        assert np.array_equal(other, image)
        expected = before['frames'][0].masks[:, y : y + height, x : x + width]
        seen = expected.any((1, 2))
        assert annotations.instance_ids.tolist() == np.array([50, 51])[seen].tolist()
        assert annotations.labels.tolist() == np.array([3, 4])[seen].tolist()
        assert np.array_equal(annotations.masks, expected[seen])
        assert_boxes_are_tight(annotations)


def test_crop_sides_reach_both_ends():
    np.random.seed(0)
    crop = CropClip((384, 600), scale=(1333, 400))
    sides = [crop.draw(500, 700) for _ in range(3000)]
    heights, widths = zip(*((r.stop - r.start, c.stop - c.start) for r, c in sides), strict=True)
    assert (min(heights), max(heights)) == (384, 500)
    assert (min(widths), max(widths)) == (384, 600)
    assert all(r.stop <= 500 and c.stop <= 700 for r, c in sides)
    places = {CropClip((600, 600), scale=(1333, 400)).draw(500, 620)[1].start for _ in range(500)}
    assert places == set(range(21))
    assert crop.draw(100, 384) == (slice(0, 100), slice(0, 384))


def test_crop_resizes_first_and_only_sometimes():
    np.random.seed(1)
    crop = CropClip((60, 60), scale=[(1333, 60), (1333, 90)])
    shapes = [crop.transform(make_results())['img_shape'] for _ in range(200)]
    assert set(shapes) == {(30, 40), (60, 60)}
    assert 60 < shapes.count((30, 40)) < 140


def test_angles_go_one_way_about_one_centre():
    np.random.seed(0)
    drawn = [RotateClip().draw(5) for _ in range(400)]
    growing = [bool((np.diff(angles) >= 0).all()) for angles, _ in drawn]
    falling = [bool((np.diff(angles) <= 0).all()) for angles, _ in drawn]
    assert all(a != b for a, b in zip(growing, falling, strict=True))
    assert 150 < sum(growing) < 250
    angles = np.concatenate([angles for angles, _ in drawn])
    assert -15 <= angles.min() < -14
    assert 14 < angles.max() <= 15
    centres = np.array([centre for _, centre in drawn])
    assert 0.4 <= centres.min() < 0.41
    assert 0.59 < centres.max() <= 0.6


def test_rotation_turns_images_and_masks_alike(monkeypatch):
    results = make_results(31, 31)
    for image, annotations in zip(results['imgs'], results['frames'], strict=True):
        image[:] = 255 * annotations.masks[0][..., None]
    angles = np.array([0.0, 90.0, 180.0])
    rotate = RotateClip()
    monkeypatch.setattr(rotate, 'draw', lambda count: (angles, np.array([0.5, 0.5])))
    results = rotate.transform(results)
    upright = make_results(31, 31)['frames'][0].masks[0]
    for turns, (image, annotations) in enumerate(
        zip(results['imgs'], results['frames'], strict=True)
    ):
        assert np.array_equal(annotations.masks[0], np.rot90(upright, turns))
        assert np.array_equal(image[..., 0] > 127, annotations.masks[0] > 0)
        assert_boxes_are_tight(annotations)
    assert results['img_shape'] == (31, 31)


def test_objects_that_turn_out_of_the_frame_vanish():
    np.random.seed(0)
    results = RotateClip(angle=15).transform(make_results(frames=9))
    seen = [annotations.instance_ids.tolist() for annotations in results['frames']]
    assert all(50 in ids for ids in seen)
    assert [50] in seen  # the dot in the corner is gone


def test_whole_pipeline_after_a_flip():
    np.random.seed(3)
    results = make_results()
    for transform in (
        CropClip((20, 30), scale=(40, 30), prob=1, backend='pillow'),
        FlipClip(1.0),
        RotateClip(),
        ResizeClip((1333, 24), backend='pillow'),
        PackClip(drop_empty=True),
    ):
        results = transform.transform(results)
    sample = results['data_samples']
    assert results['inputs'].shape[0] == 3
    assert all(frame.masks.flatten(1).any(1).all() for frame in sample.gt_instances)


def test_masks_that_a_smaller_frame_loses_are_dropped_on_demand():
    results = make_results(30, 40, frames=1)
    annotations, masks = results['frames'][0], results['frames'][0].masks
    masks[1] = 0
    results['frames'] = [replace(annotations, coded=BitMasks.from_dense(masks))]
    kept = PackClip().transform(dict(results))['data_samples'].gt_instances[0]
    dropped = PackClip(drop_empty=True).transform(dict(results))['data_samples'].gt_instances[0]
    assert kept.instance_ids.tolist() == [50, 51]
    assert dropped.instance_ids.tolist() == [50]
    assert dropped.masks.shape == (1, 30, 40)
    assert dropped.bboxes.tolist() == [[12, 10, 24, 20]]


@pytest.mark.parametrize(
    ('make', 'message'),
    [
        (lambda: CropClip((600, 384), scale=(40, 30)), 'least and the largest side'),
        (lambda: RotateClip(centre=(0.6, 0.4)), 'centre'),
        (lambda: ResizeClip((40, 30), backend='area'), "backend='area'"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(UserError, match=message):
        make()


def short_edge_size(height, width, short, longest):
    """Size by the published rule: the short side first, then the long one's limit."""
    scale = short / min(height, width)
    new_height, new_width = (short, scale * width) if height < width else (scale * height, short)
    if max(new_height, new_width) > longest:
        scale = longest / max(new_height, new_width)
        new_height, new_width = new_height * scale, new_width * scale
    return int(new_height + 0.5), int(new_width + 0.5)


@settings(deadline=None, max_examples=200)
@given(st.integers(20, 2000), st.integers(20, 2000), st.sampled_from([(360, 1333), (480, 768)]))
def test_sizes_are_those_of_the_published_rule(height, width, limits):
    short, longest = limits
    results = dict(imgs=[], img_shape=(height, width), ori_shape=(height, width))
    results = ResizeClip((longest, short), backend='pillow').transform(results)
    expected = short_edge_size(height, width, short, longest)
    assert results['img_shape'] == tuple(max(side, 1) for side in expected)


def test_pillow_averages_over_what_a_smaller_frame_leaves_out():
    stripes = np.zeros((40, 80, 3), np.uint8)
    stripes[:, ::4] = 255
    shrunk = {}
    for backend in ('cv2', 'pillow'):
        results = dict(imgs=[stripes], img_shape=(40, 80), ori_shape=(40, 80))
        resize = ResizeClip((20, 10), backend=backend)
        shrunk[backend] = resize.transform(results)['imgs'][0][:, 2:-2].astype(float)
    assert np.ptp(shrunk['pillow']) <= 2
    assert abs(shrunk['pillow'].mean() - 255 / 4) < 1
    assert abs(shrunk['cv2'].mean() - 255 / 4) > 20
