"""The C library keeps memory that was freed, so that the next step of a training finds it there.

By default glibc gives blocks of more than 32 MB back to the system at once. A training allocates and frees the same
maps in every step, and the system has to clear each page again: a fifth of the time (docs/performance.md).
"""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # glibc, malloc.h
MMAP_THRESHOLDS = 2**30, 2**25  # bytes; before glibc 2.35 the second is the largest that is accepted
TRIM_THRESHOLD = 2**31 - 1  # bytes: the largest that fits in an int


def keep_freed_memory() -> None:
    """Let malloc take blocks of up to a gibibyte from memory that it keeps, where the C library is glibc.

    It affects no result. MALLOC_TRIM_THRESHOLD_ and MALLOC_MMAP_THRESHOLD_ in the environment are overruled.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    # The second only after the first: alone it would fix the threshold at 128 kB, where glibc would have raised it.
    if mallopt is not None and any(mallopt(M_MMAP_THRESHOLD, value) for value in MMAP_THRESHOLDS):
        mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD)
