"""Whether a copy may be given up: only what is proved to be kept elsewhere is.

Two grounds allow it: enough other proved copies of the same bytes, or enough proved copies of a compressed form that
was decoded and gave exactly these bytes. They are not added up: each alone must suffice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from libs.common.problem import Conflict
from libs.common.schemas.files.retirement import GroundKind, Obstacle
from libs.common.schemas.states import CopyState
from services.registry.domain.holdings import File, Holding, Policy, Reason, count


class MayNotRetire(Conflict):
    """The copy may not be given up; `reasons` says why, and what to do about each."""

    slug = "may-not-retire"
    detail = "This copy may not be given up."


@dataclass(frozen=True)
class Form:
    """A compressed form: what was proved of it, beside its files as they are now.

    raw_sha256, sha256, ch_sha256  of the original that it decoded to, of the .cgl or .cbin, of the .ch that was used
    is_proved                      whether all of it was decoded; until then `raw_sha256` is the word of its header
    file, ch                       the current versions; `ch` is null where none lies beside it
    is_checked                     whether it was compared with what the .meta beside it claims, if there is one
    """

    raw_sha256: str
    sha256: str
    is_proved: bool
    file: File
    ch_sha256: str | None = None
    ch: File | None = None
    is_checked: bool = True


@dataclass(frozen=True)
class Case:
    """A copy that is to be given up, and all that decides. `file` is its version, and has it among its holdings.

    `doubts` are what a companion claims of the recording, and is not so.
    `jobs` that are going and read the dataset, or do not say what they read of its session, by name.
    """

    copy_id: UUID
    file: File
    is_protected: bool = False
    forms: tuple[Form, ...] = ()
    doubts: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()

    @property
    def copy(self) -> Holding:
        """The copy that is to be given up."""
        return next(one for one in self.file.holdings if one.id == self.copy_id)


@dataclass(frozen=True)
class Ground:
    """Something that a decision can rest on: the copies that count, and what they lack."""

    kind: GroundKind
    dataset_id: UUID
    sha256: str | None
    counted: tuple[Holding, ...] = ()
    lacks: tuple[Reason, ...] = ()

    @property
    def suffices(self) -> bool:
        """Whether this ground alone is enough."""
        return not self.lacks


@dataclass(frozen=True)
class Decision:
    """Whether a copy may be given up: if not, every reason why; and what counts for it."""

    reasons: tuple[Reason, ...]
    grounds: tuple[Ground, ...]

    @property
    def may_retire(self) -> bool:
        """Nothing stands against it."""
        return not self.reasons

    @property
    def rests_on(self) -> Ground | None:
        """The first ground that is enough; None where none is."""
        return next((ground for ground in self.grounds if ground.suffices), None)

    def check(self) -> None:
        """Raise MayNotRetire with all reasons unless the copy may go."""
        if self.reasons:
            told = [{"obstacle": str(reason.obstacle), "text": reason.text} for reason in self.reasons]
            text = " ".join([MayNotRetire.detail, *(reason.text for reason in self.reasons)])
            raise MayNotRetire(text, extra={"reasons": told})


_OF_THE_COPY: Final = {
    CopyState.CLAIMED: (
        Obstacle.UNPROVED,
        "Only a client says that it is there, and nobody of ours can read or remove it: DELETE /files/{id} forgets it.",
    ),
    CopyState.EXPECTED: (
        Obstacle.UNPROVED,
        "It was not read yet: wait for its proof, or forget it with DELETE /files/{id}.",
    ),
    CopyState.ARRIVING: (Obstacle.UNPROVED, "It is being brought: wait until it is proved."),
    CopyState.LANDED: (Obstacle.UNPROVED, "Its bytes came and are not proved yet: wait until they are."),
    CopyState.SUSPECT: (
        Obstacle.UNPROVED,
        "It is suspect, so what lies there may be kept nowhere else: have it read again, or register the file anew.",
    ),
    CopyState.LOST: (
        Obstacle.UNPROVED,
        "It is lost, there is nothing to remove: DELETE /files/{id} forgets it.",
    ),
    CopyState.RETIRING: (
        Obstacle.LEAVING,
        "It is to be removed already: POST /copies/{id}/keep keeps it, as long as it is there.",
    ),
    CopyState.RETIRED: (Obstacle.LEAVING, "It was removed: there is nothing left to do."),
}


def decide(case: Case, policy: Policy, now: datetime) -> Decision:
    """Whether the copy may be given up.

    >>> from datetime import UTC
    >>> from uuid import UUID
    >>> now = datetime(2026, 11, 28, tzinfo=UTC)
    >>> def copy(n, where, state=CopyState.VERIFIED):
    ...     return Holding(UUID(int=n), where, where, state, now)
    >>> raw = File(UUID(int=1), "a.ap.bin", "aa", (copy(1, "lab"), copy(2, "central")))
    >>> alone = decide(Case(UUID(int=1), raw), Policy(), now)
    >>> [str(reason.obstacle) for reason in alone.reasons]
    ['too-few-copies', 'no-compressed-form']
    >>> alone.reasons[0].text
    'Of a.ap.bin 1 other proved copy counts (central), 2 must remain: bring and prove it in another place.'

    With two proved copies of a compressed form that was decoded to these bytes, it may:
    >>> packed = File(UUID(int=2), "a.ap.cgl", "cc", (copy(3, "lab"), copy(4, "central")))
    >>> decision = decide(Case(UUID(int=1), raw, forms=(Form("aa", "cc", True, packed),)), Policy(), now)
    >>> decision.may_retire, decision.rests_on.kind.value
    (True, 'compressed-form')
    """
    grounds = (_same_bytes(case, policy, now), *(_compressed(case, form, policy, now) for form in case.forms))
    reasons = list(_whatever_else(case))
    if not any(ground.suffices for ground in grounds):
        reasons += [reason for ground in grounds for reason in ground.lacks]
        if not case.forms:
            reasons.append(
                Reason(
                    Obstacle.NO_FORM,
                    f"No compressed form of {case.file.name} is known: if it is a recording, let it be compressed,"
                    " and wait for the proof that GET /slices shows.",
                )
            )
    return Decision(tuple(reasons), grounds)


def _whatever_else(case: Case) -> Iterator[Reason]:
    """What forbids it whatever is kept elsewhere."""
    if case.is_protected:
        yield Reason(
            Obstacle.PROTECTED,
            "A protected tag covers the dataset: an administrator would have to take it off.",
        )
    if case.file.is_deleted:
        yield Reason(
            Obstacle.DELETED, "The dataset is deleted and can still be brought back: wait for that time."
        )
    if case.copy.state in _OF_THE_COPY:
        obstacle, text = _OF_THE_COPY[case.copy.state]
        yield Reason(obstacle, text.format(id=case.copy_id))
    if case.file.sha256 is None:
        yield Reason(
            Obstacle.UNREAD,
            "Nobody of ours has read this version, so nothing can be compared: have a copy proved.",
        )
    for doubt in case.doubts:
        yield Reason(
            Obstacle.DOUBTED,
            f"The recording {case.file.name} is not what is claimed of it ({doubt}): find out which of both is right,"
            " and register the right file or companion anew.",
        )
    for job in case.jobs:
        yield Reason(Obstacle.IN_USE, f"{job}: wait until it is done.")


def _same_bytes(case: Case, policy: Policy, now: datetime) -> Ground:
    others = [one for one in case.file.holdings if one.id != case.copy_id]
    beside = [one for one in others if one.shelf == case.copy.shelf and one.state is CopyState.VERIFIED]
    elsewhere = [one for one in others if one not in beside]
    counted, lacks = count(case.file.name, elsewhere, policy, now, "other proved copy")
    if lacks:
        lacks += [
            Reason(
                Obstacle.UNCOUNTED,
                f"The copy of {case.file.name} in {one.repository} lies in the same place as this one:"
                " bring it to another place.",
            )
            for one in beside
        ]
    return Ground(GroundKind.SAME_BYTES, case.file.dataset_id, case.file.sha256, counted, tuple(lacks))


def _compressed(case: Case, form: Form, policy: Policy, now: datetime) -> Ground:
    """All files that decoding needs must be kept: a .cbin is worth nothing without its .ch."""
    lacks = list(_form_lacks(case, form))
    counted: tuple[Holding, ...] = ()
    for file in (form.file, *((form.ch,) if form.ch else ())):
        found, missing = count(file.name, file.holdings, policy, now, "proved copy")
        counted += found
        lacks += missing
    return Ground(GroundKind.COMPRESSED, form.file.dataset_id, form.sha256, counted, tuple(lacks))


def _form_lacks(case: Case, form: Form) -> Iterator[Reason]:
    name = form.file.name
    if form.raw_sha256 != case.file.sha256:
        yield Reason(
            Obstacle.OTHER_ORIGINAL,
            f"The form {name} was made of other bytes: let {case.file.name} be compressed again.",
        )
    if not form.is_proved:
        yield Reason(
            Obstacle.FORM_UNPROVED,
            f"The form {name} was not decoded and compared yet: GET /slices?dataset={form.file.dataset_id} tells why.",
        )
    if not form.is_checked:
        yield Reason(
            Obstacle.FORM_UNPROVED,
            f"The form {name} was not compared with the .meta beside it yet: bring the .meta to the central store.",
        )
    for file in (form.file, *((form.ch,) if form.ch else ())):
        if file.is_deleted:
            yield Reason(
                Obstacle.FORM_REPLACED, f"The file {file.name} is deleted: bring it back, or compress again."
            )
    if form.file.sha256 != form.sha256 or (form.ch and form.ch.sha256 != form.ch_sha256):
        yield Reason(
            Obstacle.FORM_REPLACED,
            f"The form {name} has other bytes now than were proved: wait for a new proof.",
        )
    if name.endswith(".cbin") and (form.ch is None or form.ch_sha256 is None):
        yield Reason(
            Obstacle.FORM_REPLACED, f"The .ch without which {name} cannot be decoded is missing: bring it."
        )
