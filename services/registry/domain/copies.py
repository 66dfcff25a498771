"""Versions and copies: what each fact does to a copy, and what counts as a proof.

Only `prove` makes a copy verified, and it needs `Digests`, which only code that has read every byte can give.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from cingulum.digests import Digests
from libs.common.schemas.states import CopyState


class Place(StrEnum):
    """What a repository is to us."""

    UNMANAGED = "unmanaged"  # no store: we cannot read its bytes, a client's word is all there is
    AGENT = "agent"  # a lab folder that a worker reads where it lies: others can overwrite files there
    STORE = "store"  # our own store (local or S3): objects by hash, nobody overwrites

    @property
    def is_managed(self) -> bool:
        """Whether its bytes can be proved."""
        return self is not Place.UNMANAGED


@dataclass(frozen=True)
class Version:
    """One content of a dataset. `sha256` is null until we have read the bytes; `md5` and size may be a client's."""

    generation: int
    size_bytes: int | None = None
    md5: str | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class Copy:
    """One version (by generation) in one repository."""

    repository: str
    place: Place
    generation: int
    state: CopyState


class CopyFact(StrEnum):
    """What is learned of a copy, but for a full read (`prove`) and a client's word (`alyx_calls`)."""

    PART_CAME = "a part of it came"
    LANDED = "all its bytes are here"
    DOUBTED = "its proof failed, or is too old"
    GONE = "it is not there"
    OVERWRITTEN = "another version was written over it"
    RETIRE = "it is to be removed"
    REMOVED = "it was removed"
    KEPT = "it is not to be removed after all"
    WANTED = "it is to be brought (again)"


_ON_THE_WAY: Final = frozenset({CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LANDED})
_HERE: Final = frozenset({CopyState.CLAIMED, CopyState.LANDED, CopyState.VERIFIED, CopyState.SUSPECT})
_KEPT: Final = frozenset(CopyState) - {CopyState.RETIRING, CopyState.RETIRED}
_MOVES: Final[dict[CopyFact, tuple[frozenset[CopyState], CopyState]]] = {
    CopyFact.PART_CAME: (frozenset({CopyState.EXPECTED, CopyState.LOST}), CopyState.ARRIVING),
    CopyFact.LANDED: (frozenset({CopyState.EXPECTED, CopyState.ARRIVING, CopyState.LOST}), CopyState.LANDED),
    CopyFact.DOUBTED: (frozenset({CopyState.LANDED, CopyState.VERIFIED}), CopyState.SUSPECT),
    CopyFact.GONE: (_HERE, CopyState.LOST),
    CopyFact.OVERWRITTEN: (_KEPT, CopyState.LOST),
    CopyFact.RETIRE: (_KEPT, CopyState.RETIRING),
    CopyFact.REMOVED: (frozenset({CopyState.RETIRING}), CopyState.RETIRED),
    CopyFact.KEPT: (
        frozenset({CopyState.RETIRING}),
        CopyState.EXPECTED,
    ),  # its removal may have begun: read it
    CopyFact.WANTED: (frozenset({CopyState.LOST, CopyState.SUSPECT, CopyState.RETIRED}), CopyState.EXPECTED),
}


def after(state: CopyState, fact: CopyFact) -> CopyState:
    """The state once the fact is known. A fact that comes late, twice or out of order leaves the state as it is.

    >>> after(CopyState.EXPECTED, CopyFact.LANDED), after(CopyState.VERIFIED, CopyFact.PART_CAME)
    (<CopyState.LANDED: 'landed'>, <CopyState.VERIFIED: 'verified'>)
    """
    sources, target = _MOVES[fact]
    return target if state in sources else state


@dataclass(frozen=True)
class Proof:
    """What a full read means: the version as now known, the copy's state, and a notice for people if it failed."""

    version: Version
    state: CopyState
    notice: str = ""


def prove(version: Version, state: CopyState, read: Digests) -> Proof:
    """Compare a full read with what is known or claimed of the version.

    All that is known must agree: the SHA-256, or before the first read the claimed size and MD5. The first read that
    agrees fills in what was null. A copy to be removed, or removed, is no copy to count on and stays as it is.

    >>> read = Digests(size_bytes=3, sha256="ff", md5="aa")
    >>> proof = prove(Version(1, size_bytes=3, md5="aa"), CopyState.LANDED, read)
    >>> proof.state.value, proof.version.sha256
    ('verified', 'ff')
    >>> prove(Version(1, size_bytes=4, md5="aa"), CopyState.LANDED, read).notice
    'size is 3 bytes, 4 were announced'
    """
    if state in {CopyState.RETIRING, CopyState.RETIRED}:
        return Proof(version, state)
    if notice := _contradiction(version, read):
        return Proof(version, CopyState.SUSPECT, notice)
    known = replace(version, size_bytes=read.size_bytes, md5=read.md5, sha256=read.sha256)
    return Proof(known, CopyState.VERIFIED)


def is_foreign(version: Version, state: CopyState, read: Digests) -> bool:
    """Whether bytes that came say nothing of the copy: it is proved to hold others, and nobody writes over objects.

    >>> is_foreign(Version(1, sha256="aa"), CopyState.VERIFIED, Digests(size_bytes=3, sha256="bb"))
    True
    """
    return state is CopyState.VERIFIED and version.sha256 != read.sha256


def is_shown(copy: Copy, current_generation: int) -> bool:
    """Alyx's `exists`: verified, or a client's claim where nothing can be proved; of the current version only.

    >>> is_shown(Copy("flatiron", Place.UNMANAGED, 1, CopyState.CLAIMED), 1)
    True
    >>> is_shown(Copy("central", Place.STORE, 1, CopyState.EXPECTED), 1)
    False
    """
    if copy.generation != current_generation:
        return False
    claimed = copy.state is CopyState.CLAIMED and not copy.place.is_managed
    return copy.state is CopyState.VERIFIED or claimed


def is_readable(version: Version, copies: list[Copy]) -> bool:
    """Whether a job may take this version as an input: its bytes were read, and a verified copy stands."""
    verified = [c for c in copies if c.generation == version.generation and c.state is CopyState.VERIFIED]
    return version.sha256 is not None and bool(verified)


def _contradiction(version: Version, read: Digests) -> str:
    if version.size_bytes not in {None, read.size_bytes}:
        return f"size is {read.size_bytes} bytes, {version.size_bytes} were announced"
    if version.sha256 is not None and version.sha256 != read.sha256:
        return f"SHA-256 is {read.sha256}, it was {version.sha256}"
    if version.md5 not in {None, read.md5}:
        return f"MD5 is {read.md5}, {version.md5} was announced"
    return ""
