"""Sheets of small frames with their objects."""

import numpy as np
import pytest
from page_scenes import encode

from mmvseg.visualization.thumbnails import (
    TILE_PIXELS,
    Tile,
    draw_tile,
    sheet_size,
    thumbnail_sheet,
    tile_size,
)

RED = (255, 0, 0)
SIZE = (540, 960)


def mask(rows, columns, size=SIZE):
    pixels = np.zeros(size, np.uint8)
    pixels[rows, columns] = 1
    return encode(pixels)


def black(size=SIZE):
    return np.zeros((*size, 3), np.uint8)


def redness(tile):
    """Pixels that are redder than anything else."""
    return tile[..., 0].astype(int) - tile[..., 1:].max(2) > 60


@pytest.mark.parametrize('size', [(720, 1280), (1280, 720), (333, 500), (2000, 2000), (20, 30)])
def test_tiles_have_the_shape_of_frames_and_like_areas(size):
    height, width = tile_size(size)
    assert width / height == pytest.approx(size[1] / size[0], rel=0.02)
    assert height * width == pytest.approx(min(TILE_PIXELS, 4 * size[0] * size[1]), rel=0.02)


@pytest.mark.parametrize('size', [(1, 5000), (5000, 1), (1, 1)])
def test_strips_have_tiles_too(size):
    tile = draw_tile(Tile('12', black(size), [(mask(0, 0, size), RED)], 'missing file'), size)
    assert tile.shape[:2] == tile_size(size)
    assert thumbnail_sheet([tile] * 3, size).shape[:2] == sheet_size(3, size)


@pytest.mark.parametrize(
    ('count', 'size', 'grid'),
    [(8, (720, 1280), (2, 4)), (8, (1280, 720), (1, 8)), (1, (720, 1280), (1, 1))],
)
def test_sheets_are_wide_and_full(count, size, grid):
    height, width = tile_size(size)
    rows, columns = grid
    assert sheet_size(count, size) == (rows * (height + 2) - 2, columns * (width + 2) - 2)


def test_frames_lie_in_rows():
    tiles = [np.full((*tile_size(SIZE), 3), 10 * n, np.uint8) for n in range(8)]
    sheet = thumbnail_sheet(tiles, SIZE)
    assert sheet.shape == (*sheet_size(8, SIZE), 3)
    height, width = tile_size(SIZE)
    for place in range(8):
        y, x = place // 4 * (height + 2), place % 4 * (width + 2)
        assert (sheet[y : y + height, x : x + width] == 10 * place).all()


def test_objects_are_drawn_where_they_are():
    tile = draw_tile(Tile('0', black(), [(mask(slice(180, 360), slice(480, 960)), RED)]), SIZE)
    rows, columns = np.nonzero(redness(tile))
    height, width = tile_size(SIZE)
    assert (rows.min() / height, (rows.max() + 1) / height) == pytest.approx(
        (1 / 3, 2 / 3), abs=0.02
    )
    assert columns.min() / width == pytest.approx(0.5, abs=0.01)
    assert columns.max() + 1 == width


def test_the_first_object_lies_on_top():
    both = mask(slice(100, 400), slice(100, 400))
    tile = draw_tile(Tile('0', black(), [(both, RED), (both, (0, 0, 255))]), SIZE)
    inside = tile[40:80, 40:80].mean((0, 1))
    assert inside[0] > 1.5 * inside[2] > 0


def test_an_object_of_a_pixel_can_be_seen():
    assert redness(draw_tile(Tile('0', black(), [(mask(300, 500), RED)]), SIZE)).any()
    assert not redness(draw_tile(Tile('0', black(), []), SIZE)).any()


def test_masks_of_no_pixel_are_not_drawn():
    tile = Tile('0', black(), [(encode(np.zeros(SIZE, np.uint8)), RED)])
    assert not redness(draw_tile(tile, SIZE)).any()


def test_without_a_picture_there_are_grey_and_words_and_objects():
    bare, told = (
        draw_tile(Tile('0', None, [(mask(slice(400, 500), slice(600, 900)), RED)], words), SIZE)
        for words in ('', 'missing file')
    )
    assert (bare[:60] == bare[0, 0]).all()
    assert len({*bare[0, 0].tolist()}) == 1
    assert redness(bare).any()
    differ = np.argwhere((bare != told).any(2))
    height, width = tile_size(SIZE)
    assert len(differ)
    assert differ.mean(0) == pytest.approx((height / 2, width / 2), abs=5)


def test_long_words_are_broken_into_lines():
    words = 'not a readable image (declares 100000 x 100000 pixels), \x1b[31m'
    short, long = (draw_tile(Tile('', None, [], text), SIZE) for text in ('no', words))
    dark = [np.unique(np.nonzero(tile.max(2) < 60)[0]) for tile in (short, long)]
    assert len(dark[1]) > 2 * len(dark[0])


def test_captions_stand_in_the_corner():
    tiles = [draw_tile(Tile(caption, black(), []), SIZE) for caption in ('7', '1234')]
    height, width = tile_size(SIZE)
    for tile in tiles:
        rows, columns = np.nonzero(tile.max(2))
        assert rows.min() > height - 20
        assert columns.max() < width / 4
    assert (tiles[0] != tiles[1]).any()
