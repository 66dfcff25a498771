"""Which copies of a file count when something else is to be given up, and what they lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from libs.common.schemas.files.retirement import Obstacle
from libs.common.schemas.states import CopyState


@dataclass(frozen=True)
class Policy:
    """What must remain elsewhere. At least two places, since one can burn down.

    copies      proved copies that must remain, each in another place
    shared      of these, so many in repositories that are not personal, where everybody can load them
    proof_days  older proofs of a copy do not count
    """

    copies: int = 2
    shared: int = 1
    proof_days: int = 90

    def __post_init__(self) -> None:
        if self.copies < 2:
            raise ValueError("at least two copies must remain")


@dataclass(frozen=True)
class Holding:
    """One copy of a file. `shelf` is where its bytes lie (`shelf_of`); `is_said` that somebody says they are there."""

    id: UUID
    repository: str
    shelf: str
    state: CopyState
    proved_at: datetime | None = None
    is_personal: bool = False
    is_said: bool = False


@dataclass(frozen=True)
class File:
    """One version of a dataset, with all its copies. `sha256` is null until its bytes were read."""

    dataset_id: UUID
    name: str
    sha256: str | None
    holdings: tuple[Holding, ...] = ()
    is_deleted: bool = False


@dataclass(frozen=True)
class Reason:
    """Why not, as a sentence that ends in the next step."""

    obstacle: Obstacle
    text: str


_UNCOUNTED: Final = {
    CopyState.CLAIMED: "is a client's word only: let an agent read it there, or bring it to a managed repository",
    CopyState.EXPECTED: "is not proved yet: bring it, and wait for the proof",
    CopyState.ARRIVING: "is being brought: wait for the proof",
    CopyState.LANDED: "is not proved yet: wait for the proof",
    CopyState.SUSPECT: "is suspect: have it read again, or bring it again",
    CopyState.LOST: "is lost: bring it again",
    CopyState.RETIRING: "is to be removed: keep it, or bring another one",
}


def shelf_of(store: str | None, repository: str, hostname: str) -> str:
    """Where a repository's bytes lie; what lies on one shelf can be lost at once, and counts once.

    A store keeps one object for equal bytes, so all its repositories are one shelf; a computer is one, too.
    >>> shelf_of("s3", "hilllab", "") == shelf_of("s3", "zadorlab", "")
    True
    >>> shelf_of("agent", "disk1", "server.lab") == shelf_of("agent", "disk2", "server.lab")
    True
    >>> shelf_of("agent", "disk1", "") == shelf_of("agent", "disk2", "")
    False
    """
    if store in {"local", "s3"}:
        return f"store {store}"
    return f"computer {hostname}" if hostname else f"repository {repository}"


def count(
    name: str, holdings: Sequence[Holding], policy: Policy, now: datetime, called: str
) -> tuple[tuple[Holding, ...], list[Reason]]:
    """The copies that count, one a shelf, and what they lack; which others do not count, is told only then.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 28, tzinfo=UTC)
    >>> here = Holding(UUID(int=1), "central", "store s3", CopyState.VERIFIED, now)
    >>> there = Holding(UUID(int=2), "lab", "computer hill", CopyState.VERIFIED, now - timedelta(days=91))
    >>> found, lacks = count("a.bin", [here, there], Policy(), now, "proved copy")
    >>> [one.repository for one in found], lacks[1].text
    (['central'], 'The copy of a.bin in lab was proved more than 90 days ago: have it read again.')
    """
    counted: dict[str, Holding] = {}
    passed_over: list[Reason] = []
    for one in sorted(holdings, key=lambda one: (one.is_personal, one.repository)):
        if one.state is CopyState.RETIRED:
            continue
        why = _why_not_counted(one, policy, now)
        if not why and one.shelf in counted:
            why = f"lies in the same place as that in {counted[one.shelf].repository}: bring it to another place"
        if why:
            passed_over.append(Reason(Obstacle.UNCOUNTED, f"The copy of {name} in {one.repository} {why}."))
        else:
            counted[one.shelf] = one
    found = tuple(counted.values())
    lacks: list[Reason] = []
    if len(found) < policy.copies:
        where = f" ({', '.join(one.repository for one in found)})" if found else ""
        these = f"{called.replace('copy', 'copies')} count" if len(found) != 1 else f"{called} counts"
        lacks.append(
            Reason(
                Obstacle.TOO_FEW,
                f"Of {name} {len(found)} {these}{where}, {policy.copies} must remain:"
                " bring and prove it in another place.",
            )
        )
    if sum(not one.is_personal for one in found) < policy.shared:
        lacks.append(
            Reason(
                Obstacle.TOO_FEW,
                f"Of {name} {policy.shared} must remain where everybody can load it:"
                " bring it to a repository that is not personal.",
            )
        )
    return found, [*lacks, *passed_over] if lacks else []


def _why_not_counted(one: Holding, policy: Policy, now: datetime) -> str:
    if one.state is not CopyState.VERIFIED:
        return _UNCOUNTED[one.state]
    if one.proved_at is None or now - one.proved_at > timedelta(days=policy.proof_days):
        return f"was proved more than {policy.proof_days} days ago: have it read again"
    return ""
