import numpy as np

from mmvseg.structures import VideoSemantic
from mmvseg.visualization.overlay_semantic import SemanticPainter, by_area, class_areas
from mmvseg.visualization.text import DrawingStyle

CLASSES = ('sky', 'sea', 'sand')
PALETTE = ((70, 130, 180), (20, 60, 110), (230, 200, 90))
VOID = 65535


def maps():
    first = np.full((60, 80), 1, np.uint16)
    first[:10] = 2
    first[:, 70:] = VOID
    return [first, np.zeros((60, 80), np.uint16)]


def image():
    return np.random.default_rng(0).integers(0, 255, (60, 80, 3), dtype=np.uint8)


def test_classes_are_tinted_and_void_is_untouched():
    picture = image()
    painter = SemanticPainter(CLASSES, PALETTE, DrawingStyle(legend=False))
    drawn = painter.draw(picture, VideoSemantic(maps()), 0)
    assert drawn.shape == picture.shape
    np.testing.assert_array_equal(drawn[:, 70:], picture[:, 70:])
    for rows, label in ((slice(0, 9), 2), (slice(11, 60), 1)):
        expected = 0.5 * picture[rows, :69] + 0.5 * np.array(PALETTE[label])
        assert np.abs(drawn[rows, :69] - expected).max() <= 1
    assert np.abs(drawn[9, :69] - expected[0]).max() > 30  # the contour


def test_frames_with_their_legends_have_one_size():
    result = VideoSemantic(maps())
    for listed in (None, [1, 0, 2]):
        painter = SemanticPainter(CLASSES, PALETTE, DrawingStyle(scale=4), listed)
        first, second = (painter.draw(image(), result, frame) for frame in range(2))
        assert first.shape == second.shape
        assert first.shape[0] > 240
        assert first.shape[1] == 320


def test_eight_bit_void():
    void = np.full((60, 80), 255, np.uint8)
    picture = image()
    drawn = SemanticPainter(CLASSES, PALETTE, DrawingStyle(legend=False)).draw(
        picture, VideoSemantic([void]), 0
    )
    np.testing.assert_array_equal(drawn, picture)


def test_areas():
    areas = class_areas(maps()[0], 3)
    assert areas.tolist() == [0, 50 * 70, 10 * 70]
    assert by_area(areas) == [1, 2]
