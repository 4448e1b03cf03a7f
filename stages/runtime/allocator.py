"""The C library keeps memory that was freed, so that the next step of a training finds it there.

By default glibc gives blocks of more than 32 MB back to the system at once. A training allocates and frees the same
maps in every step, and the system has to clear each page again: a fifth of the time (docs/performance.md).
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc, malloc.h
LARGEST = 2**31 - 1, 2**30  # bytes: what `mallopt`'s int holds; maps of a network are smaller


def keep_freed_memory() -> None:
    """Let malloc take blocks of up to a gibibyte from memory that it keeps, where the C library is glibc.

    It affects no result. MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ in the environment are overruled.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for option, value in zip((M_TRIM_THRESHOLD, M_MMAP_THRESHOLD), LARGEST, strict=True):
            mallopt(option, value)
