"""Whether a copy may be retired: only if its content is verified elsewhere.

Two grounds allow it: enough other verified copies of the same bytes, or enough verified copies of a compressed form
that was decoded to exactly these bytes. They are not added up: each alone must suffice.
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
    """The copy may not be retired; `reasons` lists why, each with the next step."""

    slug = "may-not-retire"
    detail = "This copy may not be retired."


@dataclass(frozen=True)
class CompressedForm:
    """A compressed form: what was proved of it, and its files as they are now.

    raw_sha256, sha256, ch_sha256  of the original that it decoded to, of the .cgl or .cbin, of the .ch that was used
    is_proved                      whether all of it was decoded; until then `raw_sha256` is what its header claims
    file, ch                       the current versions; `ch` is null if there is none beside it
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
class RetirementCase:
    """A copy that is to be retired, and everything that decides about it.

    file    its version, with the copy among its holdings
    doubts  false claims of a companion about the recording
    jobs    running jobs that read the dataset, or do not declare what they read of its session, by name
    """

    copy_id: UUID
    file: File
    is_protected: bool = False
    forms: tuple[CompressedForm, ...] = ()
    doubts: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()

    @property
    def copy(self) -> Holding:
        """The copy that is to be retired."""
        return next(copy for copy in self.file.holdings if copy.id == self.copy_id)


@dataclass(frozen=True)
class Ground:
    """What a decision can be based on: the copies that count, and what is missing."""

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
class RetirementDecision:
    """Whether a copy may be retired: if not, every reason why; and the grounds."""

    reasons: tuple[Reason, ...]
    grounds: tuple[Ground, ...]

    @property
    def may_retire(self) -> bool:
        """True if there is no reason against it."""
        return not self.reasons

    @property
    def rests_on(self) -> Ground | None:
        """The first ground that suffices, if any."""
        return next((ground for ground in self.grounds if ground.suffices), None)

    def check(self) -> None:
        """Raise MayNotRetire with all reasons unless the copy may be retired."""
        if self.reasons:
            reasons = [{"obstacle": str(reason.obstacle), "text": reason.text} for reason in self.reasons]
            text = " ".join([MayNotRetire.detail, *(reason.text for reason in self.reasons)])
            raise MayNotRetire(text, extra={"reasons": reasons})


_BY_STATE: Final = {
    CopyState.CLAIMED: (
        Obstacle.UNPROVED,
        "It is only claimed by a client, and cannot be read or removed by us: DELETE /files/{id} removes the record.",
    ),
    CopyState.EXPECTED: (
        Obstacle.UNPROVED,
        "It has not been verified yet: wait for its proof, or remove the record with DELETE /files/{id}.",
    ),
    CopyState.ARRIVING: (Obstacle.UNPROVED, "It is being transferred: wait until it is verified."),
    CopyState.LANDED: (
        Obstacle.UNPROVED,
        "Its bytes were received and are not verified yet: wait until they are.",
    ),
    CopyState.SUSPECT: (
        Obstacle.UNPROVED,
        "It is suspect, and its bytes may exist nowhere else: have it verified again, or register the file again.",
    ),
    CopyState.LOST: (
        Obstacle.UNPROVED,
        "It is lost, so nothing can be removed: DELETE /files/{id} removes the record.",
    ),
    CopyState.RETIRING: (
        Obstacle.LEAVING,
        "It is already retiring: POST /copies/{id}/keep keeps it until it is removed.",
    ),
    CopyState.RETIRED: (Obstacle.LEAVING, "It was removed: nothing has to be done."),
}


def decide(case: RetirementCase, policy: Policy, now: datetime) -> RetirementDecision:
    """Whether the copy may be retired.

    >>> from datetime import UTC
    >>> from uuid import UUID
    >>> now = datetime(2026, 11, 28, tzinfo=UTC)
    >>> def copy(n, where, state=CopyState.VERIFIED):
    ...     return Holding(UUID(int=n), where, where, state, now)
    >>> raw = File(UUID(int=1), "a.ap.bin", "aa", (copy(1, "lab"), copy(2, "central")))
    >>> alone = decide(RetirementCase(UUID(int=1), raw), Policy(), now)
    >>> [str(reason.obstacle) for reason in alone.reasons]
    ['too-few-copies', 'no-compressed-form']
    >>> alone.reasons[0].text
    'Of a.ap.bin 1 other verified copy counts (central); 2 are required: add and verify one in another location.'

    It may with two verified copies of a compressed form that was decoded to these bytes:
    >>> packed = File(UUID(int=2), "a.ap.cgl", "cc", (copy(3, "lab"), copy(4, "central")))
    >>> form = CompressedForm("aa", "cc", True, packed)
    >>> decision = decide(RetirementCase(UUID(int=1), raw, forms=(form,)), Policy(), now)
    >>> decision.may_retire, decision.rests_on.kind.value
    (True, 'compressed-form')
    """
    grounds = (_same_bytes(case, policy, now), *(_compressed(case, form, policy, now) for form in case.forms))
    reasons = list(_unconditional_reasons(case))
    if not any(ground.suffices for ground in grounds):
        reasons += [reason for ground in grounds for reason in ground.lacks]
        if not case.forms:
            reasons.append(
                Reason(
                    Obstacle.NO_FORM,
                    f"No compressed form of {case.file.name} is known: if it is a recording, have it compressed,"
                    " and wait for the proof that GET /slices shows.",
                )
            )
    return RetirementDecision(tuple(reasons), grounds)


def _unconditional_reasons(case: RetirementCase) -> Iterator[Reason]:
    """Reasons that hold whatever other copies there are."""
    if case.is_protected:
        yield Reason(
            Obstacle.PROTECTED,
            "A protected tag or a release covers the dataset: remove the tag, or withdraw the release.",
        )
    if case.file.is_deleted:
        yield Reason(
            Obstacle.DELETED,
            "The dataset is deleted and can still be restored: wait until the retention time has passed.",
        )
    if case.copy.state in _BY_STATE:
        obstacle, text = _BY_STATE[case.copy.state]
        yield Reason(obstacle, text.format(id=case.copy_id))
    if case.file.sha256 is None:
        yield Reason(
            Obstacle.UNREAD,
            "This version was never read, so there is nothing to compare with: have a copy verified.",
        )
    for doubt in case.doubts:
        yield Reason(
            Obstacle.DOUBTED,
            f"The recording {case.file.name} contradicts its companion ({doubt}): find out which of the two is right,"
            " and register the right file or companion again.",
        )
    for job in case.jobs:
        yield Reason(Obstacle.IN_USE, f"{job}: wait until it has finished.")


def _same_bytes(case: RetirementCase, policy: Policy, now: datetime) -> Ground:
    others = [copy for copy in case.file.holdings if copy.id != case.copy_id]
    beside = [
        copy for copy in others if copy.location == case.copy.location and copy.state is CopyState.VERIFIED
    ]
    elsewhere = [copy for copy in others if copy not in beside]
    counted, lacks = count(case.file.name, elsewhere, policy, now, "other verified copy")
    if lacks:
        lacks += [
            Reason(
                Obstacle.UNCOUNTED,
                f"The copy of {case.file.name} in {copy.repository} is in the same location as this one:"
                " add one in another location.",
            )
            for copy in beside
        ]
    return Ground(GroundKind.SAME_BYTES, case.file.dataset_id, case.file.sha256, counted, tuple(lacks))


def _compressed(case: RetirementCase, form: CompressedForm, policy: Policy, now: datetime) -> Ground:
    """All files that decoding needs must remain: a .cbin cannot be decoded without its .ch."""
    lacks = list(_form_lacks(case, form))
    counted: tuple[Holding, ...] = ()
    for file in (form.file, *((form.ch,) if form.ch else ())):
        copies, missing = count(file.name, file.holdings, policy, now, "verified copy")
        counted += copies
        lacks += missing
    return Ground(GroundKind.COMPRESSED, form.file.dataset_id, form.sha256, counted, tuple(lacks))


def _form_lacks(case: RetirementCase, form: CompressedForm) -> Iterator[Reason]:
    name = form.file.name
    if form.raw_sha256 != case.file.sha256:
        yield Reason(
            Obstacle.OTHER_ORIGINAL,
            f"The compressed form {name} was made from other bytes: have {case.file.name} compressed again.",
        )
    if not form.is_proved:
        yield Reason(
            Obstacle.FORM_UNPROVED,
            f"The compressed form {name} has not been decoded and compared yet: "
            f"GET /slices?dataset={form.file.dataset_id} shows why.",
        )
    if not form.is_checked:
        yield Reason(
            Obstacle.FORM_UNPROVED,
            f"The compressed form {name} has not been compared with its .meta yet: "
            "transfer the .meta to the central store.",
        )
    for file in (form.file, *((form.ch,) if form.ch else ())):
        if file.is_deleted:
            yield Reason(
                Obstacle.FORM_REPLACED, f"The file {file.name} is deleted: restore it, or compress again."
            )
    if form.file.sha256 != form.sha256 or (form.ch and form.ch.sha256 != form.ch_sha256):
        yield Reason(
            Obstacle.FORM_REPLACED,
            f"The compressed form {name} no longer has the bytes of its proof: wait for a new proof.",
        )
    if name.endswith(".cbin") and (form.ch is None or form.ch_sha256 is None):
        yield Reason(
            Obstacle.FORM_REPLACED, f"The .ch is missing, without which {name} cannot be decoded: add it."
        )
