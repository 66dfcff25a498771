"""What the server wants of a lab's files: read them, send them, or both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final
from urllib.parse import urlencode

from cingulum.worker.http import Server

UNPROVED: Final = ("expected", "arriving", "landed", "suspect", "lost")
CENTRAL: Final = frozenset({"local", "s3"})
_PAGE: Final = 1_000


@dataclass(frozen=True)
class Copy:
    """A copy of a dataset's current version; size and MD5 as registered, null where nobody said."""

    id: str
    repository: str
    state: str
    size_bytes: int | None
    md5: str | None
    order_proof: bool

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Copy:
        """As the server tells it."""
        return cls(
            id=str(told["id"]),
            repository=str(told["repository"]),
            state=str(told["state"]),
            size_bytes=told["size_bytes"],
            md5=told["md5"],
            order_proof=bool(told["order_proof"]),
        )


@dataclass(frozen=True)
class Order:
    """One file: `own` is its copy here that wants a proof, `central` the copy to be brought; at least one is there."""

    relative_path: str
    own: Copy | None = None
    central: Copy | None = None

    @property
    def what_is_known(self) -> Copy:
        """The copy that says what was registered of the file: both say the same."""
        copy = self.own or self.central
        assert copy is not None  # noqa: S101 - for the type checker
        return copy


def is_inside(relative_path: str) -> bool:
    """Whether a path stays below the root that it is joined to: the server is not trusted with this.

    >>> is_inside("hilllab/Subjects/m1/2020-08-21/001/a.b.npy"), is_inside("../etc/passwd"), is_inside("/etc/passwd")
    (True, False, False)
    """
    path = PurePosixPath(relative_path)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts


def orders_of(server: Server, repository: str) -> list[Order]:
    """What is wanted of this repository's files now, in the order of their paths."""
    own = (told for state in UNPROVED for told in _copies(server, repository=repository, state=state))
    central = (told for state in UNPROVED for told in _copies(server, held_by=repository, state=state))
    return _together(
        ((str(told["relative_path"]), Copy.of(told)) for told in own),
        ((str(told["relative_path"]), Copy.of(told)) for told in central if told["store"] in CENTRAL),
    )


def _together(own: Iterable[tuple[str, Copy]], central: Iterable[tuple[str, Copy]]) -> list[Order]:
    """One order a file.

    >>> here, there = Copy("1", "lab", "expected", 3, None, True), Copy("2", "central", "expected", 3, None, False)
    >>> [order] = _together([("a/b.c.npy", here)], [("a/b.c.npy", there)])
    >>> order.own.id, order.central.id
    ('1', '2')
    """
    mine, theirs = dict(own), dict(central)
    paths = sorted(filter(is_inside, {*mine, *theirs}))
    return [Order(path, mine.get(path), theirs.get(path)) for path in paths]


def _copies(server: Server, **wanted: str) -> Iterator[Mapping[str, Any]]:
    """Copies of current versions, page by page."""
    offset = 0
    while True:
        query = urlencode(wanted | {"limit": _PAGE, "offset": offset})
        page = server.get(f"/copies?{query}")
        yield from (told for told in page["results"] if told["is_current"])
        offset += len(page["results"])
        if not page["results"] or offset >= page["count"]:
            return
