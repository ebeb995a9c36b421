"""How the C library keeps the memory of arrays and tensors that are gone."""

import ctypes
import os

# Numbers of glibc's malloc.h. A block larger than the first limit is mapped and cleared anew each
# time; free memory at the end of the heap beyond the second is given back to the system.
_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1
#: Bytes; older versions of glibc take the second of these at most.
_LARGEST_BLOCKS = (2**26, 2**25)


def keep_freed_memory(kept_bytes: int = 2**27) -> bool:
    """Let glibc use freed memory again instead of giving it back, in the whole process.

    Otherwise each frame maps and clears anew what the one before gave back: in TeViT 44,000 pages a
    frame and a tenth of the time; in a loader as long as decoding takes.

    Args:
        kept_bytes: so much free memory a process may hold.

    Returns:
        Whether it is done, which is not with another C library, nor where the environment says how
        (``MALLOC_TRIM_THRESHOLD_``, ``MALLOC_MMAP_THRESHOLD_``).
    """
    if any(f'MALLOC_{name}_THRESHOLD_' in os.environ for name in ('TRIM', 'MMAP')):
        return False
    try:
        mallopt = ctypes.CDLL('libc.so.6').mallopt
    except (OSError, AttributeError):
        return False
    mapped = any(mallopt(_M_MMAP_THRESHOLD, size) for size in _LARGEST_BLOCKS)
    return mapped and bool(mallopt(_M_TRIM_THRESHOLD, kept_bytes))
