"""Sizes of files as people read them."""

from __future__ import annotations


def format_size(size_bytes: int) -> str:
    """A number of bytes with a decimal unit.

    >>> format_size(999), format_size(83_000_000_000)
    ('999 B', '83.0 GB')
    """
    value, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{size_bytes} B" if unit == "B" else f"{value:.1f} {unit}"
