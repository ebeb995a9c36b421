import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmcv.transforms import TransformBroadcaster

from mmvseg.datasets import FlipClip, PackClip, ResizeClip
from mmvseg.datasets.transforms import clip
from mmvseg.datasets.transforms.bit_masks import BitMasks
from mmvseg.datasets.transforms.frame_annotations import FrameAnnotations
from mmvseg.errors import UserError


def make_results(height=24, width=36, frames=3, objects=2) -> dict:
    rng = np.random.default_rng(0)
    annotations = []
    for _ in range(frames):
        masks = np.zeros((objects, height, width), np.uint8)
        boxes = np.zeros((objects, 4), np.float32)
        for n in range(objects):
            x, y = rng.integers(0, width - 12), rng.integers(0, height - 10)
            masks[n, y : y + 10, x : x + 12] = 1
            boxes[n] = x, y, x + 12, y + 10
        labels = np.arange(objects)
        coded = BitMasks.from_dense(masks)
        annotations.append(FrameAnnotations(boxes, labels, coded, labels + 50))
    return dict(
        imgs=[rng.integers(0, 255, (height, width, 3)).astype(np.uint8) for _ in range(frames)],
        frames=annotations,
        img_shape=(height, width),
        ori_shape=(height, width),
        video_id=3,
        frame_ids=list(range(frames)),
        flip=False,
        scale_factor=(1.0, 1.0),
    )


def assert_boxes_enclose_masks(results: dict, tolerance: float) -> None:
    for annotations in results['frames']:
        for box, mask in zip(annotations.bboxes, annotations.masks, strict=True):
            y, x = np.nonzero(mask)
            tight = [x.min(), y.min(), x.max() + 1, y.max() + 1]
            assert np.abs(box - tight).max() <= tolerance


@settings(deadline=None, max_examples=25)
@given(st.integers(20, 90), st.integers(20, 90), st.booleans())
def test_masks_and_boxes_agree_after_any_pipeline(long, short, flip):
    results = make_results()
    results = ResizeClip((long, short)).transform(results)
    results = FlipClip(prob=float(flip)).transform(results)
    height, width = results['img_shape']
    assert all(image.shape == (height, width, 3) for image in results['imgs'])
    # Nearest resizing may move an edge by up to a pixel of the larger grid.
    assert_boxes_enclose_masks(results, tolerance=max(1.01, width / 36))


def test_flip_twice_is_identity():
    before, after = make_results(), make_results()
    flip = FlipClip(prob=1.0)
    once = flip.transform(after)
    assert once['flip']
    assert_boxes_enclose_masks(once, tolerance=0)
    assert not np.array_equal(once['imgs'][0], before['imgs'][0])
    twice = flip.transform(once)
    for a, b in zip(before['frames'], twice['frames'], strict=True):
        assert np.array_equal(a.bboxes, b.bboxes)
        assert np.array_equal(a.masks, b.masks)
    assert np.array_equal(before['imgs'], twice['imgs'])


@pytest.mark.parametrize(
    ('shape', 'scale', 'expected'),
    [
        ((720, 1280), (640, 360), (360, 640)),
        ((720, 1280), (360, 640), (360, 640)),
        ((1280, 720), (640, 360), (640, 360)),
        ((480, 854), (640, 360), (360, 640)),  # 640 / 854 is the smaller factor: 359.7 -> 360
        ((100, 1000), (1333, 480), (133, 1333)),
    ],
)
def test_size_after_resize(shape, scale, expected):
    results = make_results(*shape, frames=1, objects=0)
    results = ResizeClip(scale).transform(results)
    assert results['img_shape'] == expected == results['imgs'][0].shape[:2]
    assert results['scale_factor'] == (expected[1] / shape[1], expected[0] / shape[0])


def test_boxes_are_clipped():
    results = make_results(objects=1)
    results['frames'][0].bboxes[0] = (-5, -1, 40, 30)
    results = ResizeClip((72, 48)).transform(results)
    assert results['frames'][0].bboxes[0].tolist() == [0, 0, 72, 48]


def test_range_draws_both_sides_independently():
    resize = ResizeClip([(640, 360), (960, 480)], mode='range')
    np.random.seed(0)
    drawn = np.array([resize.draw() for _ in range(3000)])
    longs, shorts = drawn.T
    assert (longs.min(), longs.max()) == (640, 960)
    assert (shorts.min(), shorts.max()) == (360, 480)
    assert abs(np.corrcoef(longs, shorts)[0, 1]) < 0.1


def test_value_draws_one_of_the_scales():
    scales = [(1333, short) for short in range(320, 801, 32)]
    resize = ResizeClip(scales)
    assert {resize.draw() for _ in range(500)} == set(scales)


def test_flip_probability():
    flip = FlipClip(0.25)
    np.random.seed(0)
    assert 0.2 < np.mean([flip.draw() for _ in range(2000)]) < 0.3


def test_one_draw_for_all_frames():
    """All frames of a clip that shows one picture stay alike, whatever is drawn."""
    np.random.seed(1)
    for _ in range(5):
        results = make_results(frames=4)
        results['imgs'] = [results['imgs'][0]] * 4
        results = ResizeClip([(40, 20), (90, 60)], mode='range').transform(results)
        results = FlipClip().transform(results)
        assert all(np.array_equal(image, results['imgs'][0]) for image in results['imgs'])


def test_a_frame_that_is_repeated_is_resized_once(monkeypatch):
    calls = []
    monkeypatch.setattr(clip.mmcv, 'imresize', lambda image, *_, **__: calls.append(1) or image)
    results = make_results(frames=3, objects=0)
    results['imgs'][2] = results['imgs'][0]
    resized = ResizeClip((72, 48)).transform(results)['imgs']
    assert len(calls) == 2
    assert resized[2] is resized[0]
    assert resized[1] is not resized[0]


@pytest.mark.parametrize('size', [(36, 24), (50, 20), (15, 9), (90, 70)])
def test_torch_resizes_as_pillow_does(size):
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (60, 80, 3)).astype(np.uint8)[:, ::-1] for _ in range(2)]
    made = {}
    for backend in ('torch', 'pillow', 'cv2'):
        results = dict(make_results(60, 80, frames=2), imgs=images)
        made[backend] = ResizeClip(size, backend=backend).transform(results)
    exact, ours, other = (
        np.array(made[backend]['imgs'], int) for backend in ('pillow', 'torch', 'cv2')
    )
    assert exact.shape == ours.shape
    assert np.abs(ours - exact).max() <= 1
    assert (ours != exact).mean() < 0.05  # of noise, the worst case
    if size[0] < 80:  # where pixels are left out, the filters are not the same
        assert np.abs(other - exact).max() > 20
    for one, two in zip(made['torch']['frames'], made['pillow']['frames'], strict=True):
        assert np.array_equal(one.masks, two.masks)


@pytest.mark.parametrize('arguments', [dict(mode='any'), dict(mode='range')])
def test_bad_resize_arguments(arguments):
    with pytest.raises(UserError, match='mode'):
        ResizeClip((640, 360), **arguments)


def test_pack():
    results = FlipClip(1.0).transform(make_results())
    packed = PackClip().transform(results)
    assert packed['inputs'].shape == (3, 3, 24, 36)
    assert packed['inputs'].dtype == torch.uint8
    assert np.array_equal(packed['inputs'][1].permute(1, 2, 0).numpy(), results['imgs'][1])
    sample = packed['data_samples']
    assert sample.img_shape == (24, 36)
    assert len(sample.gt_instances) == 3
    frame = sample.gt_instances[0]
    assert frame.masks.shape == (2, 24, 36)
    assert frame.instance_ids.tolist() == [50, 51]
    assert (frame.bboxes.dtype, frame.labels.dtype) == (torch.float32, torch.int64)


def test_pack_without_annotations():
    results = make_results()
    del results['frames']
    assert '_gt_instances' not in PackClip().transform(results)['data_samples']


def test_image_transforms_join_through_mmcv():
    """An mmdet photometric transform, drawn once, changes all frames alike."""
    transform = TransformBroadcaster(
        transforms=[dict(type='mmdet.PhotoMetricDistortion')],
        mapping=dict(img='imgs'),
        auto_remap=True,
        share_random_params=True,
    )
    np.random.seed(3)
    results = make_results(frames=3)
    original = results['imgs'][0]
    results['imgs'] = [original.copy() for _ in range(3)]
    results = transform(results)
    assert not np.array_equal(results['imgs'][0], original)
    assert np.array_equal(results['imgs'][0], results['imgs'][2])
