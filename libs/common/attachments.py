"""How a browser names what it saves."""

from __future__ import annotations

from urllib.parse import quote


def attachment(file_name: str) -> str:
    """The value of Content-Disposition with which a browser saves a file instead of showing it (RFC 6266).

    >>> attachment("spikes.times é.npy")
    "attachment; filename*=UTF-8''spikes.times%20%C3%A9.npy"
    """
    return f"attachment; filename*=UTF-8''{quote(file_name, safe='')}"
