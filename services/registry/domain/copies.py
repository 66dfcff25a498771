"""Versions and copies: what each fact does to a copy, and what counts as a proof.

Only `prove` makes a copy verified, and it needs `Digests`, which only code that has read every byte can make.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cingulum.digests import Digests
from libs.common.schemas.states import CopyState


class Place(StrEnum):
    """How a repository's bytes can be accessed."""

    UNMANAGED = "unmanaged"  # no store: its bytes cannot be read, only claimed by clients
    AGENT = "agent"  # a lab folder that a worker reads in place: others can overwrite files there
    STORE = "store"  # our own store (local or S3): objects by hash, never overwritten

    @property
    def is_managed(self) -> bool:
        """Whether its bytes can be proved."""
        return self is not Place.UNMANAGED


@dataclass(frozen=True)
class Version:
    """One content of a dataset. `sha256` is null until the bytes were read; `md5` and size may be claims."""

    generation: int
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class VersionCopy:
    """One version (by generation) in one repository."""

    repository: str
    place: Place
    generation: int
    state: CopyState


class CopyFact(StrEnum):
    """What can happen to a copy, except for a full read (`prove`) and a client's claim (`alyx_calls`)."""

    DOUBTED = "its proof failed, or is too old"
    GONE = "it does not exist"
    OVERWRITTEN = "it was overwritten by another version"
    RETIRE = "it is to be removed"
    KEPT = "its removal was cancelled"
    EXPECTED = "it is to be transferred, or transferred again"


_HERE: Final = frozenset({CopyState.CLAIMED, CopyState.LANDED, CopyState.VERIFIED, CopyState.SUSPECT})
_KEPT: Final = frozenset(CopyState) - {CopyState.RETIRING, CopyState.RETIRED}
_MOVES: Final[dict[CopyFact, tuple[frozenset[CopyState], CopyState]]] = {
    CopyFact.DOUBTED: (frozenset({CopyState.LANDED, CopyState.VERIFIED}), CopyState.SUSPECT),
    CopyFact.GONE: (_HERE, CopyState.LOST),
    CopyFact.OVERWRITTEN: (_KEPT, CopyState.LOST),
    CopyFact.RETIRE: (_KEPT, CopyState.RETIRING),
    CopyFact.KEPT: (
        frozenset({CopyState.RETIRING}),
        CopyState.EXPECTED,
    ),  # its removal may have begun: it has to be read again
    CopyFact.EXPECTED: (
        frozenset({CopyState.LOST, CopyState.SUSPECT, CopyState.RETIRED}),
        CopyState.EXPECTED,
    ),
}


def after(state: CopyState, fact: CopyFact) -> CopyState:
    """The state after a fact. A fact that comes late, twice or out of order leaves the state as it is.

    >>> after(CopyState.VERIFIED, CopyFact.DOUBTED), after(CopyState.RETIRED, CopyFact.DOUBTED)
    (<CopyState.SUSPECT: 'suspect'>, <CopyState.RETIRED: 'retired'>)
    """
    sources, target = _MOVES[fact]
    return target if state in sources else state


@dataclass(frozen=True)
class Proof:
    """The result of a full read: the version as now known, the copy's state, and a notice for people if it failed."""

    version: Version
    state: CopyState
    notice: str = ""


def prove(version: Version, state: CopyState, digests: Digests) -> Proof:
    """Compare a full read with what is known or claimed of the version.

    All that is known must agree: the SHA-256, or before the first read the claimed size and MD5. The first read that
    agrees fills in what was null. A retiring or retired copy does not count and keeps its state.

    >>> digests = Digests(size_bytes=3, sha256="ff", md5="aa")
    >>> proof = prove(Version(1, size_bytes=3, md5="aa"), CopyState.LANDED, digests)
    >>> proof.state.value, proof.version.sha256
    ('verified', 'ff')
    >>> prove(Version(1, size_bytes=4, md5="aa"), CopyState.LANDED, digests).notice
    'size is 3 bytes, expected 4'
    """
    if state in {CopyState.RETIRING, CopyState.RETIRED}:
        return Proof(version, state)
    if notice := _contradiction(version, digests):
        return Proof(version, CopyState.SUSPECT, notice)
    known = replace(version, size_bytes=digests.size_bytes, md5=digests.md5, sha256=digests.sha256)
    return Proof(known, CopyState.VERIFIED)


def is_foreign(version: Version, state: CopyState, digests: Digests) -> bool:
    """Whether uploaded bytes do not concern the copy: it is verified with others, and objects are never overwritten.

    >>> is_foreign(Version(1, sha256="aa"), CopyState.VERIFIED, Digests(size_bytes=3, sha256="bb"))
    True
    """
    return state is CopyState.VERIFIED and version.sha256 != digests.sha256


def _contradiction(version: Version, digests: Digests) -> str:
    if version.size_bytes not in {None, digests.size_bytes}:
        return f"size is {digests.size_bytes} bytes, expected {version.size_bytes}"
    if version.sha256 is not None and version.sha256 != digests.sha256:
        return f"SHA-256 is {digests.sha256}, expected {version.sha256}"
    if version.md5 not in {None, digests.md5}:
        return f"MD5 is {digests.md5}, expected {version.md5}"
    return ""
