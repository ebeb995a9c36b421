import numpy as np

from mmvseg.visualization.labels import Label, LabelPainter
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
