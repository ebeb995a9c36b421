"""Sampling on planes against the sampling of training."""

import pytest
import torch

from mmvseg.ops import multi_scale_deformable_attention
from mmvseg.ops.planar_sampling import sample_planes

HEADS, POINTS, CHANNELS = 2, 3, 4


def both(shapes, locations, seed=0):
    """The sums by either way; locations (Q, heads, L, points, 2) in [0, 1] over each map."""
    generator = torch.Generator().manual_seed(seed)
    pixels = sum(height * width for height, width in shapes)
    value = torch.randn(pixels, HEADS, CHANNELS, generator=generator)
    attention = torch.rand(locations.shape[:-1], generator=generator)
    sizes = torch.tensor(shapes)
    expected = multi_scale_deformable_attention(
        value[None], sizes, locations[None], attention[None]
    )
    positions = locations * sizes.flip(1)[:, None] - 0.5
    x, y = positions.permute(4, 1, 2, 3, 0)
    planes = sample_planes(value, shapes, x, y, attention.permute(1, 2, 3, 0))
    return planes.flatten(1), expected[0]


@pytest.mark.parametrize('shapes', [[(5, 7)], [(1, 1), (3, 2), (9, 12)]])
@pytest.mark.parametrize('spread', [1, 3, 1000])
def test_same_sums_inside_and_outside(shapes, spread):
    locations = (torch.rand(50, HEADS, len(shapes), POINTS, 2) - 0.5) * spread + 0.5
    planes, expected = both(shapes, locations)
    torch.testing.assert_close(planes, expected, atol=1e-5, rtol=1e-5)


def test_corners_and_borders():
    """Points on pixels, on the borders of the map and just beyond."""
    width = 6
    exact = torch.tensor([-1.0, -0.5, 0, 0.5, 2, width - 1, width - 0.5, width, width + 0.5])
    points = torch.cartesian_prod(exact, exact)  # (81, 2), x and y in pixels
    locations = ((points + 0.5) / width)[:, None, None, None].expand(-1, HEADS, 1, POINTS, 2)
    planes, expected = both([(width, width)], locations)
    torch.testing.assert_close(planes, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize('number', [float('nan'), float('inf'), -float('inf')])
def test_what_is_no_number_stays_in_its_query(number):
    locations = torch.rand(4, HEADS, 1, POINTS, 2)
    locations[1, 0, 0, 0, 0] = number
    planes, expected = both([(4, 5)], locations)
    rest = [0, 2, 3]
    torch.testing.assert_close(planes[rest], expected[rest])
    assert planes[1].isnan().any() == (number != number)
