"""Limits on open connections, in all and per address, and which connection is closed when one is reached."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from libs.common.address import Network, is_within, network_of


class Connection(Protocol):
    """One connection, as far as its place is concerned."""

    @property
    def has_sent_all(self) -> bool:
        """Whether nothing of an answer is left to send."""


class _Group:
    """Connections that share a limit, and those among them that wait for a request, the longest wait first."""

    def __init__(self) -> None:
        self.n_open = 0
        self.waiting: OrderedDict[Connection, None] = OrderedDict()

    def longest_waiting(self) -> Connection | None:
        return next((connection for connection in self.waiting if connection.has_sent_all), None)


@dataclass
class Places:
    """The places of one server: so many, and so many for one address (of IPv6 a network of 64 bits).

    Addresses in `proxies` have no limit of their own: each serves many clients. A connection whose request is
    being read or answered is never ended; one that waits for a complete head is closed in favour of a newer
    one, longest wait first, so that idle connections cannot exhaust the places.
    """

    most: int
    most_per_address: int
    proxies: tuple[Network, ...] = ()
    _all: _Group = field(default_factory=_Group)
    _addresses: dict[str, _Group] = field(default_factory=dict)
    _keys: dict[Connection, str] = field(default_factory=dict)

    def take(self, newest: Connection, address: str) -> Connection | None:
        """Give a place to a new connection. Returns the connection to close for it: None, another one, or itself."""
        key = "" if is_within(address, self.proxies) else network_of(address)
        self._keys[newest] = key
        for group in self._groups(key):
            group.n_open += 1
        self.wait(newest)
        of_address = self._addresses.get(key)
        if of_address is not None and of_address.n_open > self.most_per_address:
            return of_address.longest_waiting() or newest
        if self._all.n_open > self.most:
            return self._all.longest_waiting() or newest
        return None

    def wait(self, connection: Connection) -> None:
        """The connection waits for a request from now on."""
        for group in self._groups(self._keys.get(connection)):
            group.waiting[connection] = None
            group.waiting.move_to_end(connection)

    def work(self, connection: Connection) -> None:
        """The head of a request is whole: its connection stays until that is answered."""
        for group in self._groups(self._keys.get(connection)):
            group.waiting.pop(connection, None)

    def leave(self, connection: Connection) -> None:
        """The connection has ended, or is about to; idempotent."""
        key = self._keys.pop(connection, None)
        for group in self._groups(key):
            group.n_open -= 1
            group.waiting.pop(connection, None)
        if key and self._addresses[key].n_open == 0:
            del self._addresses[key]

    def _groups(self, key: str | None) -> list[_Group]:
        if key is None:
            return []
        if not key:
            return [self._all]
        group = self._addresses.get(key)
        if group is None:
            group = self._addresses[key] = _Group()
        return [self._all, group]
