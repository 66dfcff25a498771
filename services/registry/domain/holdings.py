"""Which copies of a file count when another copy is to be retired, and why others do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cingulum.stores import CENTRAL
from libs.common.schemas.files.retirement import Obstacle
from libs.common.schemas.states import CopyState


@dataclass(frozen=True)
class Policy:
    """What must remain elsewhere. At least two locations, since one can burn down.

    copies      minimum number of verified copies that must remain, each in another location
    shared      of these, so many in repositories that are not personal, where all users can load them
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
    """One copy of a file. `location` is that of its bytes (`location_of`); `is_claimed`: a client claims they exist."""

    id: UUID
    repository: str
    location: str
    state: CopyState
    proved_at: datetime | None = None
    is_personal: bool = False
    is_claimed: bool = False


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
    """Why a copy may not be retired, and the next step."""

    obstacle: Obstacle
    text: str


_UNCOUNTED: Final = {
    CopyState.CLAIMED: "is only claimed by a client: have an agent verify it, or transfer it to a managed repository",
    CopyState.EXPECTED: "is not verified yet: transfer it, and wait for the proof",
    CopyState.ARRIVING: "is being transferred: wait for the proof",
    CopyState.LANDED: "is not verified yet: wait for the proof",
    CopyState.SUSPECT: "is suspect: have it read again, or transfer it again",
    CopyState.LOST: "is lost: transfer it again",
    CopyState.RETIRING: "is retiring: keep it, or add another one",
}


def location_of(store: str | None, repository: str, hostname: str) -> str:
    """The location of a repository's bytes; copies in one location can be lost at once, and count once.

    A store keeps one object for equal bytes, so all its repositories are one location; so is a computer.
    >>> location_of("s3", "hilllab", "") == location_of("s3", "zadorlab", "")
    True
    >>> location_of("agent", "disk1", "server.lab") == location_of("agent", "disk2", "server.lab")
    True
    >>> location_of("agent", "disk1", "") == location_of("agent", "disk2", "")
    False
    """
    if store in CENTRAL:
        return f"store {store}"
    return f"computer {hostname}" if hostname else f"repository {repository}"


def count(
    name: str, holdings: Sequence[Holding], policy: Policy, now: datetime, noun: str
) -> tuple[tuple[Holding, ...], list[Reason]]:
    """At most one counted copy per location; if too few, also why, and why the others do not count.

    >>> from datetime import UTC
    >>> now = datetime(2026, 11, 28, tzinfo=UTC)
    >>> here = Holding(UUID(int=1), "central", "store s3", CopyState.VERIFIED, now)
    >>> there = Holding(UUID(int=2), "lab", "computer hill", CopyState.VERIFIED, now - timedelta(days=91))
    >>> counted, lacks = count("a.bin", [here, there], Policy(), now, "verified copy")
    >>> [copy.repository for copy in counted], lacks[1].text
    (['central'], 'The copy of a.bin in lab was verified more than 90 days ago: have it read again.')
    """
    by_location: dict[str, Holding] = {}
    skipped: list[Reason] = []
    for copy in sorted(holdings, key=lambda copy: (copy.is_personal, copy.repository)):
        if copy.state is CopyState.RETIRED:
            continue
        why = _why_not_counted(copy, policy, now)
        if not why and copy.location in by_location:
            why = (
                f"is in the same location as the copy in {by_location[copy.location].repository}:"
                " add one in another location"
            )
        if why:
            skipped.append(Reason(Obstacle.UNCOUNTED, f"The copy of {name} in {copy.repository} {why}."))
        else:
            by_location[copy.location] = copy
    counted = tuple(by_location.values())
    lacks = _lacks(name, counted, policy, noun)
    return counted, [*lacks, *skipped] if lacks else []


def _lacks(name: str, counted: Sequence[Holding], policy: Policy, noun: str) -> list[Reason]:
    """What is missing if only these copies count."""
    lacks: list[Reason] = []
    if len(counted) < policy.copies:
        where = f" ({', '.join(copy.repository for copy in counted)})" if counted else ""
        these = f"{noun.replace('copy', 'copies')} count" if len(counted) != 1 else f"{noun} counts"
        lacks.append(
            Reason(
                Obstacle.TOO_FEW,
                f"Of {name} {len(counted)} {these}{where}; {policy.copies} are required:"
                " add and verify one in another location.",
            )
        )
    if sum(not copy.is_personal for copy in counted) < policy.shared:
        lacks.append(
            Reason(
                Obstacle.TOO_FEW,
                f"Of {name} {policy.shared} must be in a repository that is not personal, where all users can load it:"
                " add one there.",
            )
        )
    return lacks


def _why_not_counted(copy: Holding, policy: Policy, now: datetime) -> str:
    if copy.state is not CopyState.VERIFIED:
        return _UNCOUNTED[copy.state]
    if copy.proved_at is None or now - copy.proved_at > timedelta(days=policy.proof_days):
        return f"was verified more than {policy.proof_days} days ago: have it read again"
    return ""
