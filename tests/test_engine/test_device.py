"""The device that models run on."""

import pytest
import torch

from mmvseg.engine.device import choose_device
from mmvseg.errors import UserError


@pytest.mark.parametrize('device', ['cuda:99', 'gpu', 'meta'])
def test_wrong_device_names_the_available(device):
    with pytest.raises(UserError, match=r"device '.*' cannot be used here; available: cpu"):
        choose_device(device)


def test_default_device_is_the_best_there_is():
    assert choose_device(None).type == ('cuda' if torch.cuda.is_available() else 'cpu')
