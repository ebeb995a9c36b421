"""Memory of tensors that are gone is used again."""

import ctypes
import subprocess
import sys

import pytest

from mmvseg.ops import allocator

FAULTS = """
import resource, sys
import torch
from mmvseg.ops.allocator import keep_freed_memory
assert len(sys.argv) == 1 or keep_freed_memory()
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(10 * 2**20 // 4)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults()
print(faults())
"""


def has_glibc():
    try:
        return hasattr(ctypes.CDLL('libc.so.6'), 'mallopt')
    except OSError:
        return False


@pytest.mark.skipif(not has_glibc(), reason='another C library')
def test_pages_are_not_mapped_anew():
    run = [sys.executable, '-c', FAULTS, 'keep']
    pages = 10 * 2**20 // 4096
    faults = int(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    assert faults < pages  # of ten tensors


def test_older_libraries_take_smaller_blocks(monkeypatch):
    calls = []

    class Library:
        @staticmethod
        def mallopt(name, size):
            calls.append((name, size))
            return int(size <= 2**25 or name == -1)

    monkeypatch.setattr(allocator.ctypes, 'CDLL', lambda name: Library)
    assert allocator.keep_freed_memory(2**28)
    assert calls == [(-3, 2**26), (-3, 2**25), (-1, 2**28)]


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv('MALLOC_TRIM_THRESHOLD_', '1000')
    assert not allocator.keep_freed_memory()


@pytest.mark.parametrize('error', [OSError, AttributeError])
def test_other_libraries(monkeypatch, error):
    def missing(name):
        raise error

    monkeypatch.setattr(allocator.ctypes, 'CDLL', missing)
    assert not allocator.keep_freed_memory()
