"""Which of a lab's files are to be read, sent, or both, by the server's orders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from cingulum.http import Connection
from cingulum.stores import CENTRAL

UNPROVED: Final = ("expected", "arriving", "landed", "suspect", "lost")


@dataclass(frozen=True)
class LabCopy:
    """A copy of a dataset's current version; size and MD5 as registered, None where they were not."""

    id: str
    repository: str
    state: str
    size_bytes: int | None
    md5: str | None
    order_proof: bool

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> LabCopy:
        """From a row of `/copies`."""
        return cls(
            id=str(row["id"]),
            repository=str(row["repository"]),
            state=str(row["state"]),
            size_bytes=row["size_bytes"],
            md5=row["md5"],
            order_proof=bool(row["order_proof"]),
        )


@dataclass(frozen=True)
class Order:
    """One file: `own` is its copy here that is to be verified, `central` the copy to be sent; at least one is set."""

    relative_path: str
    own: LabCopy | None = None
    central: LabCopy | None = None

    @property
    def registered(self) -> LabCopy:
        """The copy with the registered size and hash: both copies have the same."""
        copy = self.own or self.central
        assert copy is not None  # noqa: S101 - for the type checker
        return copy

    @property
    def is_lost(self) -> bool:
        """Whether the server knows already that the file is missing here."""
        return self.own is not None and self.own.state == "lost"


def is_inside(relative_path: str) -> bool:
    """Whether a path stays below the root that it is joined to: the server is not trusted with this.

    >>> is_inside("hilllab/Subjects/m1/2020-08-21/001/a.b.npy"), is_inside("../etc/passwd"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(relative_path)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def fetch_orders(connection: Connection, repository: str) -> list[Order]:
    """The current orders for this repository's files, sorted by path."""
    own = (row for state in UNPROVED for row in _copies(connection, repository=repository, state=state))
    central = (row for state in UNPROVED for row in _copies(connection, held_by=repository, state=state))
    return _joined(
        ((str(row["relative_path"]), LabCopy.of(row)) for row in own),
        ((str(row["relative_path"]), LabCopy.of(row)) for row in central if row["store"] in CENTRAL),
    )


def _joined(own: Iterable[tuple[str, LabCopy]], central: Iterable[tuple[str, LabCopy]]) -> list[Order]:
    """One order per file.

    >>> here = LabCopy("1", "lab", "expected", 3, None, True)
    >>> there = LabCopy("2", "central", "expected", 3, None, False)
    >>> [order] = _joined([("a/b.c.npy", here)], [("a/b.c.npy", there)])
    >>> order.own.id, order.central.id
    ('1', '2')
    """
    own_copies, central_copies = dict(own), dict(central)
    paths = sorted(filter(is_inside, {*own_copies, *central_copies}))
    return [Order(path, own_copies.get(path), central_copies.get(path)) for path in paths]


def _copies(connection: Connection, **filters: str) -> Iterator[Mapping[str, Any]]:
    """Copies of current versions."""
    return (row for row in connection.rows("/copies", **filters) if row["is_current"])
