"""GPU tests: skipped where there is none.

``MMVSEG_TEST_DEVICE=cpu`` runs them on the CPU, where most compare equals: a check of the tests.
"""

import os

import pytest
import torch

DEVICE = os.environ.get('MMVSEG_TEST_DEVICE', 'cuda')


def pytest_configure(config):
    config.addinivalue_line('markers', 'gpu: needs a GPU')


@pytest.fixture(scope='session')
def device():
    if DEVICE.startswith('cuda') and not torch.cuda.is_available():
        pytest.skip('no GPU')
    return DEVICE


@pytest.fixture(autouse=True)
def full_precision(monkeypatch):
    """No TF32 in convolutions, which has 10 bits of mantissa and is on by default."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
