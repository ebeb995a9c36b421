import cv2
import numpy as np
import pytest

from mmvseg.datasets.shapes.textures import STUFF_CLASSES, THING_CLASSES
from mmvseg.datasets.shapes.world import ShapesOptions, ShapesWorld
from mmvseg.structures import Segment, VideoPanoptic
from mmvseg.visualization import track_color
from mmvseg.visualization.overlay_panoptic import PanopticPainter, segment_color
from mmvseg.visualization.text import DrawingStyle, font_size, render_text

CLASSES = ('cat', 'sky', 'sea')
PALETTE = ((250, 0, 0), (70, 130, 180), (20, 60, 110))
CAT = Segment(5, 0, True, 0.87, query=4)
SKY = Segment(102, 1, False, 0.9, query=8)
SEA = Segment(103, 2, False, 0.9, query=9)


def picture(height=120, width=160, value=100):
    return np.full((height, width, 3), value, np.uint8)


def plates(drawn, color):
    """Where a label lies: mask of its plate, which is the only place of the pure colour."""
    return (drawn == np.array(color)).all(axis=2)


def away_from_edges(mask):
    return cv2.erode(np.pad(mask, 1, mode='edge').astype(np.uint8), np.ones((7, 7)))[1:-1, 1:-1] > 0


def test_segments_are_tinted_in_their_colours_and_void_is_untouched():
    ids = np.full((120, 160), 102, np.uint8)
    ids[60:] = 103
    ids[30:90, 40:100] = 5
    ids[:, 140:] = 0
    image = np.random.default_rng(0).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    result = VideoPanoptic([CAT, SKY, SEA], [ids])
    drawn = PanopticPainter(CLASSES, PALETTE).draw(image, result, 0)
    void = ids == 0
    labels = np.zeros_like(void)
    for segment in result.segments:
        color = segment_color(segment, PALETTE)
        plate = plates(drawn, color)
        assert plate.sum() > 40
        ys, xs = np.nonzero(plate)
        labels[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1] = True
    np.testing.assert_array_equal(drawn[void & ~labels], image[void & ~labels])
    for segment in result.segments:
        inside = away_from_edges(ids == segment.id) & ~labels
        expected = 0.5 * image[inside] + 0.5 * np.array(segment_color(segment, PALETTE))
        assert inside.sum() > 500
        assert np.abs(drawn[inside] - expected).max() <= 1


def test_contours_lie_on_both_sides_of_a_border_and_not_in_void():
    ids = np.full((60, 80), 102, np.uint8)
    ids[:, 40:] = 103
    ids[:, 60:] = 0
    drawn = PanopticPainter(CLASSES, PALETTE).draw(
        picture(60, 80), VideoPanoptic([SKY, SEA], [ids]), 0
    )
    row = drawn[2].astype(int)
    plain_sky, plain_sea = row[20], row[50]
    assert np.abs(row[39] - plain_sky).max() > 30
    assert np.abs(row[40] - plain_sea).max() > 30
    assert (row[38] == plain_sky).all()
    assert np.abs(row[59] - plain_sea).max() > 30
    assert (row[60:] == 100).all()


def test_segments_left_out_stay_as_the_picture():
    ids = np.full((60, 80), 102, np.uint8)
    ids[:, 40:] = 103
    drawn = PanopticPainter(CLASSES, PALETTE).draw(picture(60, 80), VideoPanoptic([SKY], [ids]), 0)
    assert (drawn[:, 40:] == 100).all()
    nothing = PanopticPainter(CLASSES, PALETTE).draw(picture(60, 80), VideoPanoptic([], [ids]), 0)
    assert (nothing == 100).all()


def test_colour_is_a_function_of_the_thing_or_of_the_class_of_stuff():
    assert segment_color(CAT, PALETTE) == track_color(5)
    other = Segment(5, 1, True, 0.1, query=0)
    assert segment_color(other, PALETTE) == track_color(5)
    assert segment_color(SKY, PALETTE) == PALETTE[1]
    assert segment_color(Segment(7, 1, False, 0.2, query=1), PALETTE) == PALETTE[1]


def test_colours_of_a_video_are_stable():
    world = ShapesWorld(ShapesOptions(length=6), seed=[3])
    first_stuff = 100
    maps = []
    for frame in range(6):
        shown = world.render(frame)
        stuff = shown.stuff.astype(np.int32) + first_stuff
        maps.append(np.where(shown.instances >= 0, shown.instances + 1, stuff).astype(np.uint16))
    segments = [Segment(i + 1, label, True, 0.9, i) for i, label in enumerate(world.labels)]
    segments += [
        Segment(first_stuff + i, len(THING_CLASSES) + i, False, 0.9, i)
        for i in range(len(STUFF_CLASSES))
    ]
    classes = THING_CLASSES + STUFF_CLASSES
    palette = [(10 * i, 255 - 20 * i, 90) for i in range(len(classes))]
    result = VideoPanoptic(segments, maps)
    painter = PanopticPainter(classes, palette, DrawingStyle(scale=4))
    for frame, ids in enumerate(maps):
        drawn = painter.draw(picture(96, 128), result, frame)
        assert drawn.shape == (384, 512, 3)
        for segment, area in result.segments_in(ids):
            if area < 150:
                continue
            inside = away_from_edges(np.kron(ids == segment.id, np.ones((4, 4), bool)))
            expected = (np.array(segment_color(segment, palette)) + 100) / 2
            fits = (np.abs(drawn[inside] - expected).max(axis=1) <= 1).mean()
            assert fits > 0.5  # the rest lies under labels


@pytest.mark.parametrize(
    ('style', 'thing'),
    [(DrawingStyle(), 'cat #5 0.87'), (DrawingStyle(scores=False), 'cat #5')],
)
def test_labels_say_class_and_number_of_things(style, thing):
    ids = np.full((240, 320), 102, np.uint8)
    ids[100:160, 100:200] = 5
    result = VideoPanoptic([CAT, SKY], [ids])
    drawn = PanopticPainter(CLASSES, PALETTE, style).draw(picture(240, 320), result, 0)
    for text, color in ((thing, track_color(5)), ('sky', PALETTE[1])):
        ys, xs = np.nonzero(plates(drawn, color))
        shape = (int(ys.max() - ys.min()) + 1, int(xs.max() - xs.min()) + 1)
        assert shape == render_text(text, font_size(drawn.shape)).shape


@pytest.mark.parametrize('scale', [1, 2])
def test_label_of_a_thing_stands_at_its_largest_part(scale):
    ids = np.full((240, 320), 102, np.uint8)
    ids[140:200, 30:90] = ids[5:9, 300:304] = 5
    result = VideoPanoptic([CAT, SKY], [ids])
    painter = PanopticPainter(CLASSES, PALETTE, DrawingStyle(scale=scale))
    ys, xs = np.nonzero(plates(painter.draw(picture(240, 320), result, 0), track_color(5)))
    assert 110 < np.median(ys) / scale < 140  # above it
    assert 40 < np.median(xs) / scale < 80


def test_label_of_stuff_lies_inside_its_largest_part_once():
    ids = np.full((240, 320), 103, np.uint8)
    ids[5:25, 5:25] = 102
    ids[100:230, 180:310] = 102
    drawn = PanopticPainter(CLASSES, PALETTE).draw(
        picture(240, 320), VideoPanoptic([SKY, SEA], [ids]), 0
    )
    ys, xs = np.nonzero(plates(drawn, PALETTE[1]))
    assert 150 < ys.mean() < 180
    assert 230 < xs.mean() < 260
    assert np.ptp(ys) < 20


def test_label_of_stuff_stays_while_it_is_well_inside():
    ids = np.full((2, 240, 320), 103, np.uint8)
    ids[0, 20:120, 20:120] = ids[1, 20:140, 20:140] = 102  # it grows a little
    result = VideoPanoptic([SKY], list(ids))

    def place(painter, frame):
        ys, xs = np.nonzero(plates(painter.draw(picture(240, 320), result, frame), PALETTE[1]))
        return ys.mean(), xs.mean()

    painter = PanopticPainter(CLASSES, PALETTE)
    assert place(painter, 0) == place(painter, 1)
    assert place(PanopticPainter(CLASSES, PALETTE), 1) != place(painter, 1)


@pytest.mark.parametrize('shape', [(8, 8), (1, 1), (20, 400), (400, 20)])
def test_tiny_and_narrow_frames(shape):
    result = VideoPanoptic([CAT], [np.full(shape, 5, np.uint8)])
    drawn = PanopticPainter(CLASSES, PALETTE).draw(picture(*shape), result, 0)
    assert drawn.shape == (*shape, 3)
    assert (drawn != 100).any()
