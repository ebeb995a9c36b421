import pytest
import torch

from mmvseg.errors import UserError
from mmvseg.testing.parity.recorded_losses import recorded_rand

DRAWS = {'rand.0': torch.full((1, 4, 2), 0.25), 'rand.1': torch.full((3, 2), 0.75)}


def draw(shapes):
    with recorded_rand(DRAWS, 'rand.'):
        for shape in shapes:
            torch.rand(shape)


def test_recorded_numbers_come_in_order_and_then_random_ones_again():
    with recorded_rand(DRAWS, 'rand.'):
        assert torch.equal(torch.rand((1, 4, 2), device='cpu'), DRAWS['rand.0'])
        assert torch.equal(torch.rand(3, 2), DRAWS['rand.1'])
    assert not torch.equal(torch.rand(3, 2), DRAWS['rand.1'])


@pytest.mark.parametrize(
    ('shapes', 'message'),
    [
        ([(1, 4, 2)], '1 of 2 recorded random numbers were not asked for'),
        ([(3, 2)], r'\(3, 2\) wanted, recorded: \(1, 4, 2\)'),
        ([(1, 4, 2), (3, 2), (3, 2)], r'\(3, 2\) wanted, recorded: none'),
    ],
)
def test_other_draws_than_the_recorded_are_refused(shapes, message):
    with pytest.raises(UserError, match=message):
        draw(shapes)
