import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pycocotools import mask as mask_api

from mmvseg.errors import UserError
from mmvseg.media.images import write_image
from mmvseg.structures import VideoInstances
from mmvseg.visualization.exports import id_map, write_id_map


def instances(masks, scores):
    rles = [[mask_api.encode(np.asfortranarray(m.astype(np.uint8)))] for m in masks]
    count = len(masks)
    return VideoInstances(np.array(scores), np.zeros(count, int), rles, np.arange(count))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_id_map_shows_the_highest_score_of_each_pixel(seed, count):
    rng = np.random.default_rng(seed)
    masks = rng.random((count, 9, 7)) > 0.6
    scores = rng.permutation(count) / count
    expected = np.zeros((9, 7), int)
    for y, x in np.ndindex(9, 7):
        covering = [n for n in range(count) if masks[n, y, x]]
        if covering:
            expected[y, x] = 1 + max(covering, key=lambda n: scores[n])
    np.testing.assert_array_equal(id_map(instances(masks, scores), 0, (9, 7)), expected)


@pytest.mark.parametrize(('wide', 'largest'), [(False, 255), (True, 65535)])
def test_id_maps_are_read_back_unchanged(tmp_path, wide, largest):
    ids = np.arange(64).reshape(8, 8) * (largest // 63)
    write_id_map(tmp_path / 'ids.png', ids, {4: (9, 8, 7)}, wide=wide)
    image = Image.open(tmp_path / 'ids.png')
    np.testing.assert_array_equal(np.array(image), ids)
    assert wide or image.getpalette()[12:15] == [9, 8, 7]


def test_unwritable_files_are_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match=r'x\.png: cannot be written'):
        write_image(tmp_path / 'file' / 'x.png', np.zeros((2, 2, 3), np.uint8))


def test_ids_beyond_16_bits_are_refused(tmp_path):
    with pytest.raises(UserError, match=r'the id 65536 does not fit into a map of 16 bits'):
        write_id_map(tmp_path / 'x.png', np.full((2, 2), 65536), {}, wide=True)
    assert not list(tmp_path.iterdir())
