"""Memory use of this process, and how to reduce it."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_MADV_DONTNEED, _MADV_PAGEOUT = 4, 21  # mman.h
_LARGE_BYTES = 1 << 20


def resident_bytes() -> int:
    """Memory of this process at this moment; 0 if the system does not report it.

    >>> resident_bytes() >= 0
    True
    """
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * 4096


def give_back_freed_chunks() -> None:
    """Return freed arrays to the system at once; for our own programs, not for use as a library.

    glibc otherwise learns from the first freed chunk of 23 MB to keep such blocks on its heaps,
    one heap per thread, and a program of two threads then occupies twice what it uses.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        libc.mallopt(_M_TRIM_THRESHOLD, _LARGE_BYTES)


def forget_compiler() -> None:
    """Release the pages of LLVM, 100 MB, once numba has compiled or loaded its kernels.

    They map a file and are read again when needed. Pages of code can be dropped; other pages may have been
    written to, so the system chooses those that it can read again.
    """
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    for line in Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines():
        span, rights, *_, path = line.split(maxsplit=5)
        if "llvmlite" in path:
            first, last = (int(address, 16) for address in span.split("-"))
            libc.madvise(first, last - first, _MADV_DONTNEED if rights == "r-xp" else _MADV_PAGEOUT)
