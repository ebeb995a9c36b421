"""Rotary positions, against plain loops over patches and channels."""

import math

import pytest
import torch

from mmvseg.models.backbones.rotary import RotaryPositions

GRID, DIMS = (2, 3), 8


def turned_by_hand(patch, row, column, scale=1.0):
    """Patch (D,) of a head: channel i and channel i + D / 2 are a point that is turned."""
    y, x = (2 * (row + 0.5) / GRID[0] - 1) * scale, (2 * (column + 0.5) / GRID[1] - 1) * scale
    half = DIMS // 2
    result = torch.empty(DIMS, dtype=torch.float64)
    for i in range(half):
        place, number = (y, i) if i < half // 2 else (x, i - half // 2)
        angle = 2 * math.pi * place * 100 ** (-number * 4 / DIMS)
        first, second = patch[i].item(), patch[i + half].item()
        result[i] = first * math.cos(angle) - second * math.sin(angle)
        result[i + half] = second * math.cos(angle) + first * math.sin(angle)
    return result


def heads(extra=3):
    draw = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, extra + GRID[0] * GRID[1], DIMS, generator=draw)


def test_patches_are_turned_by_their_place_and_other_tokens_are_not():
    tokens = heads()
    turned = RotaryPositions(DIMS).eval()(GRID).turn(tokens)
    assert torch.equal(turned[:, :, :3], tokens[:, :, :3])
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            index = 3 + row * GRID[1] + column
            expected = turned_by_hand(tokens[1, 2, index], row, column)
            torch.testing.assert_close(turned[1, 2, index].double(), expected, rtol=0, atol=1e-6)


def test_turning_keeps_the_length():
    tokens = heads(extra=0)
    turned = RotaryPositions(DIMS).eval()(GRID).turn(tokens)
    torch.testing.assert_close(turned.norm(dim=-1), tokens.norm(dim=-1))


def test_training_scales_all_positions_by_one_random_factor(monkeypatch):
    rotary, tokens = RotaryPositions(DIMS).train(), heads(extra=0)
    monkeypatch.setattr(rotary, 'random_scale', lambda: torch.tensor([1.7]))
    turned = rotary(GRID).turn(tokens)
    expected = turned_by_hand(tokens[0, 0, 4], 1, 1, scale=1.7)
    torch.testing.assert_close(turned[0, 0, 4].double(), expected, rtol=0, atol=1e-6)


def test_the_factor_is_between_a_half_and_two_and_as_often_below_as_above_one():
    torch.manual_seed(0)
    rotary = RotaryPositions(DIMS)
    factors = torch.cat([rotary.random_scale() for _ in range(2000)])
    assert factors.min() >= 0.5
    assert factors.max() <= 2
    logarithms = factors.log2()
    assert logarithms.mean().abs() < 0.05
    assert logarithms.std() == pytest.approx(1 / math.sqrt(3), abs=0.03)  # uniform on -1..1


def test_angles_are_exact_under_autocast_and_tokens_keep_their_type():
    rotary = RotaryPositions(DIMS).eval()
    expected = rotary(GRID)
    with torch.autocast('cpu', torch.bfloat16):
        rotation = rotary(GRID)
    assert torch.equal(rotation.cos, expected.cos)
    assert rotation.turn(heads().bfloat16()).dtype == torch.bfloat16


def test_nothing_of_it_is_in_a_checkpoint():
    assert not RotaryPositions(DIMS).state_dict()
