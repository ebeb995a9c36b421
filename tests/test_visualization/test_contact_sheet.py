import numpy as np
import pytest

from mmvseg.visualization.contact_sheet import (
    CELL_WIDTH,
    SheetVideo,
    contact_sheet,
    evenly_spaced,
    label_size,
)


@pytest.mark.parametrize(
    ('length', 'count', 'expected'),
    [(20, 3, [0, 10, 19]), (5, 5, [0, 1, 2, 3, 4]), (2, 5, [0, 1]), (1, 3, [0]), (9, 1, [0])],
)
def test_evenly_spaced(length, count, expected):
    assert evenly_spaced(length, count) == expected


def colored(value, height=90, width=120):
    return np.full((height, width, 3), value, np.uint8)


def test_sheet_shows_every_picture_once_in_order():
    rows = [('input', [colored((200, 0, 0)), colored((0, 200, 0))])]
    rows.append(('prediction', [colored((0, 0, 200)), colored((200, 200, 0))]))
    sheet = contact_sheet([SheetVideo('first', ['frame 0', 'frame 9'], rows)])
    area = CELL_WIDTH * CELL_WIDTH * 90 // 120
    places = {}
    for color in [(200, 0, 0), (0, 200, 0), (0, 0, 200), (200, 200, 0)]:
        y, x = np.nonzero((sheet == color).all(axis=2))
        assert len(y) == area
        places[color] = (y.min(), x.min())
    assert places[200, 0, 0][0] == places[0, 200, 0][0] < places[0, 0, 200][0]
    assert places[200, 0, 0][1] == places[0, 0, 200][1] < places[0, 200, 0][1]
    assert (sheet[: places[200, 0, 0][0]] < 200).any()  # title and captions above


def test_videos_of_different_shapes_and_lengths():
    wide = SheetVideo('wide', ['frame 0', 'frame 1'], [('input', [colored(90), colored(90)])])
    tall = SheetVideo('tall', ['frame 0'], [('input', [colored(90, 400, 100)])])
    both = contact_sheet([wide, tall])
    assert both.shape[1] == contact_sheet([wide]).shape[1]
    assert both.shape[0] > contact_sheet([wide]).shape[0] + 4 * CELL_WIDTH


def test_labels_grow_with_the_drawing_so_that_cells_show_them_alike():
    assert label_size(4 * CELL_WIDTH) == 4 * label_size(CELL_WIDTH)
