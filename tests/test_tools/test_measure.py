"""What the measuring tools share: videos of noise, memory, tables."""

import gc
import mmap
import sys

import pytest
from helpers import REPOSITORY

from mmvseg.errors import UserError

sys.path.insert(0, str(REPOSITORY / 'tools' / 'analysis'))
import measure


def test_window_of_noise_is_reproducible():
    first, second = (measure.make_window(3, (36, 64), (72, 128)) for _ in range(2))
    assert first.frames.shape == (3, 3, 36, 64)
    assert first.frames.equal(second.frames)
    assert first.sample.scale_factor == (0.5, 0.5)


def test_peak_memory_sees_what_is_gone():
    gc.collect()  # what tests before have left would be freed in the midst of this one
    measure.reset_peak_resident()
    before = measure.peak_resident_gb()
    # pages of their own: an allocator may have enough left from tests before
    with mmap.mmap(-1, 200_000_000) as block:
        for page in range(0, len(block), mmap.PAGESIZE):
            block[page] = 1
    assert measure.peak_resident_gb() - before > 0.18
    assert measure.resident_gb() < measure.peak_resident_gb()


def test_markdown_table():
    table = measure.markdown_table(['part', 's'], [['backbone', 1], ['FPN', 22]])
    assert table.splitlines() == [
        '| part     | s  |',
        '| -------- | -- |',
        '| backbone | 1  |',
        '| FPN      | 22 |',
    ]


def test_another_process_is_measured(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text('import sys\nblock = bytearray(60_000_000)\nprint(sys.argv[1])\n')
    usage = measure.run_script(script, 'word')
    assert 60e6 < usage.peak_bytes < 300e6
    assert usage.cpu_s > 0
    assert 0 < usage.wall_s < 60


def test_a_failed_process_is_reported(tmp_path):
    script = tmp_path / 'script.py'
    script.write_text('raise SystemExit("out of luck")\n')
    with pytest.raises(UserError, match=r'(?s)script\.py failed.*out of luck'):
        measure.run_script(script)
