"""Memory that a training step frees and the next one asks for again.

By default the C library gives big blocks back to the system as soon as they are freed; each step then waits for the
system to find and clear the same pages again (measured: a third of a step's time).
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # of glibc's malloc.h
_DEFAULT_TRIM_BYTES, _DEFAULT_MMAPS = 128 * 1024, 65536


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keep freed memory in the process meanwhile, and give it back at the end. Does nothing without glibc."""
    library = ctypes.CDLL(None)
    if not all(hasattr(library, name) for name in ("mallopt", "malloc_trim", "gnu_get_libc_version")):
        yield
        return
    library.mallopt(_M_MMAP_MAX, 0)
    library.mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
    try:
        yield
    finally:
        library.mallopt(_M_MMAP_MAX, _DEFAULT_MMAPS)
        library.mallopt(_M_TRIM_THRESHOLD, _DEFAULT_TRIM_BYTES)
        library.malloc_trim(0)
