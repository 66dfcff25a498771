"""A transport that shows whether its client still reads."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Any


class CountedTransport:
    """A transport that counts the bytes written to it, and so those that the kernel has taken."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._written_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Send bytes."""
        self._written_bytes += len(data)
        self._transport.write(data)

    def drop(self) -> None:
        """Abort the connection: the kernel discards what the client has not read."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    @property
    def left_bytes(self) -> int:
        """Bytes that have left this process."""
        return self._written_bytes - self._transport.get_write_buffer_size()

    @property
    def is_drained(self) -> bool:
        """Whether every byte has left this process."""
        return self._transport.get_write_buffer_size() == 0
