"""How the C library keeps the memory of tensors that are gone."""

import ctypes
import os

# Numbers of glibc's malloc.h, and bytes. A tensor larger than the first limit is mapped and cleared
# anew each time; free memory at the end of the heap beyond the second is given back.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
MMAP_THRESHOLD, TRIM_THRESHOLD = 64 * 2**20, 128 * 2**20


def keep_freed_memory() -> bool:
    """Let glibc use freed memory again instead of giving it back, in the whole process.

    Otherwise each frame maps and clears anew what the one before gave back: of TeViT, 44,000 pages
    a frame and a tenth of the time. The memory that a process holds grows by up to 128 MB.

    Returns:
        Whether it is done: not with another C library, nor where the environment says how
        (``MALLOC_TRIM_THRESHOLD_``, ``MALLOC_MMAP_THRESHOLD_``).
    """
    if any(f'MALLOC_{name}_THRESHOLD_' in os.environ for name in ('TRIM', 'MMAP')):
        return False
    try:
        mallopt = ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return False
    limits = ((_M_MMAP_THRESHOLD, MMAP_THRESHOLD), (_M_TRIM_THRESHOLD, TRIM_THRESHOLD))
    return all(mallopt(name, limit) for name, limit in limits)
