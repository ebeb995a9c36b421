import numpy as np
import pytest

from mmvseg.visualization.labels import Label, LabelPainter, anchor_of
from mmvseg.visualization.text import render_text


def drawn(labels, height=60, width=200):
    canvas = np.zeros((height, width, 3), np.uint8)
    LabelPainter().draw(canvas, labels, 10)
    return canvas


def plate(canvas, color):
    ys, xs = np.nonzero((canvas == color).all(axis=2))
    return (ys.min(), xs.min(), ys.max(), xs.max()) if len(ys) else None


def test_centred_label():
    red = (200, 10, 10)
    top, left, bottom, right = plate(drawn([Label('wall', red, 100, 30)]), red)
    assert abs((top + bottom) / 2 - 30) <= 1
    assert abs((left + right) / 2 - 100) <= 1


def test_labels_stay_in_the_picture():
    red, blue = (200, 10, 10), (10, 10, 200)
    canvas = drawn([Label('wall', red, 0, 0), Label('ceiling', blue, 199, box=(199, 59, 200, 60))])
    height, width = render_text('wall', 10).shape
    assert plate(canvas, red) == (0, 0, height - 1, width - 1)
    top, left, bottom, right = plate(canvas, blue)
    assert (bottom - top + 1, right - left + 1) == render_text('ceiling', 10).shape
    assert (right, bottom) <= (199, 59)


def test_label_inside_a_region_is_left_out_rather_than_cover_another():
    red, blue = (200, 10, 10), (10, 10, 200)
    height = render_text('wall', 10).shape[0]
    canvas = drawn([Label('wall', red, 100, 5), Label('floor', blue, 100, 5)], height=height + 2)
    assert plate(canvas, red)
    assert plate(canvas, blue) is None
    above = Label('floor', blue, 100, box=(90, 5, 110, 9))
    assert plate(drawn([Label('wall', red, 100, 5), above], height=height + 2), blue)


def test_ink_contrasts_with_the_plate():
    dark, bright = (40, 0, 60), (250, 240, 120)
    canvas = drawn([Label('wall', dark, 50, 30), Label('wall', bright, 150, 30)])
    assert canvas[:, :100].max() > 240
    top, left, bottom, right = plate(canvas, bright)
    assert canvas[top : bottom + 1, left : right + 1].min() < 30


def occupied(canvas):
    ys, xs = np.nonzero(canvas.any(axis=2))
    return ys.min(), xs.min(), ys.max(), xs.max()


@pytest.mark.parametrize('x', [2, 40, 100, 190])
@pytest.mark.parametrize('y', [2, 15, 30, 52])
def test_a_label_does_not_lie_on_its_small_object(x, y):
    red, box = (200, 10, 10), (x, y, x + 6, y + 6)
    canvas = drawn([Label('wall', red, x + 3, box=box)])
    assert not canvas[y : y + 6, x : x + 6].any()
    top, left, bottom, right = occupied(canvas)
    assert (bottom - top + 1, right - left + 1) == render_text('wall', 10).shape
    gap_x = max(left - (x + 6), x - 1 - right, 0)
    gap_y = max(top - (y + 6), y - 1 - bottom, 0)
    assert max(gap_x, gap_y) <= 2  # beside it


def test_labels_lie_on_none_of_many_small_objects_and_on_no_label():
    rng = np.random.default_rng(0)
    colors = [(200, 10 * n, 250 - 10 * n) for n in range(12)]
    for _ in range(20):
        corners = rng.integers(0, (386, 226), (12, 2)).tolist()
        boxes = [(x, y, x + 14, y + 14) for x, y in corners]
        labels = [
            Label('disc #1', color, box[0] + 7, box=box)
            for color, box in zip(colors, boxes, strict=True)
        ]
        canvas = drawn(labels, 240, 400)
        on_objects = [canvas[y1:y2, x1:x2].any(axis=2).mean() for x1, y1, x2, y2 in boxes]
        assert max(on_objects) < 0.4
        assert np.mean(on_objects) < 0.06
        height, width = render_text('disc #1', 10).shape
        for color in colors:
            assert (canvas == color).all(axis=2).sum() > 0.4 * height * width


def test_a_label_may_lie_on_a_large_object_rather_than_on_a_small_one():
    red, blue = (200, 10, 10), (10, 10, 200)
    large, small = (0, 14, 200, 60), (85, 2, 115, 14)
    canvas = drawn([Label('floor', red, 100, box=large), Label('wall', blue, 100, box=small)])
    assert plate(canvas, red)[0] >= 14
    x1, y1, x2, y2 = small
    assert not canvas[y1:y2, x1:x2].any()


def test_a_line_leads_to_an_object_whose_neighbourhood_is_full():
    red, box = (200, 10, 10), (95, 95, 105, 105)
    around = [(70, 80, 130, 94), (70, 106, 130, 120), (70, 95, 94, 105), (106, 95, 130, 105)]
    label = Label('ball', red, 100, box=box)
    others = [Label('', (0, 0, 1), x1, box=(x1, y1, x2, y2)) for x1, y1, x2, y2 in around]
    far, near = drawn([label, *others], 200, 200), drawn([label], 200, 200)
    height, width = render_text('ball', 10).shape
    assert near.any(axis=2).sum() == height * width  # a plate and no line
    reddish = far[..., 0] > 100
    assert not (reddish[80:120, 70:130].sum() > 60)  # no plate on what is around
    assert reddish[80:95, 95:105].any()  # but a line to the object


def test_a_label_keeps_its_side_from_frame_to_frame():
    red, painter = (200, 10, 10), LabelPainter()

    def side(x, *others):
        canvas = np.zeros((120, 200, 3), np.uint8)
        box = (x, 50, x + 10, 60)
        labels = [Label('wall', red, x + 5, box=box, key=3)]
        painter.draw(canvas, [*labels, *others], 10)
        top, _, bottom, _ = plate(canvas, red)
        return 'above' if bottom < 50 else 'below' if top >= 60 else 'beside'

    wall = Label('', (0, 0, 0), 105, box=(80, 30, 130, 49), key=4)
    assert side(100) == 'above'
    assert side(100, wall) == 'below'
    assert side(100) == 'below'
    painter = LabelPainter()
    assert side(100) == 'above'


@pytest.mark.parametrize('kind', [bool, np.uint8])
def test_a_label_belongs_to_the_largest_part(kind):
    mask = np.zeros((40, 90), kind)
    mask[0:2, 80:83] = mask[38:40, 0:5] = 1
    mask[10, 24:27] = mask[11:30, 20:40] = 1
    assert anchor_of(mask) == ((20, 10, 40, 30), 25)
