"""What a release needs before it is published, and how its state changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID

from libs.common.problem import BadRequest, Conflict, Problem
from libs.common.schemas.qc import QC_CODES, QC_NAMES
from libs.common.schemas.releases import Missing, MissingKind, Readiness, ReleaseState, SessionReadiness

ACCEPTABLE: Final = frozenset({MissingKind.QC, MissingKind.CONSENT_LEFT})
_GOOD_QC: Final = frozenset({QC_CODES["PASS"], QC_CODES["WARNING"]})
_MOST_NAMED: Final = 5


class NotReady(Conflict):
    """Something is missing before the release can be checked or published; `sessions` lists what, per session."""

    slug: ClassVar[str] = "release-not-ready"
    detail: ClassVar[str] = "Something is missing: GET /releases/NAME/readiness lists it per session."


class ReleaseWithdrawn(Problem):
    """The release was withdrawn: its record and the reason remain, its manifest is no longer served."""

    status: ClassVar[int] = 410
    slug: ClassVar[str] = "release-withdrawn"
    detail: ClassVar[str] = "This release was withdrawn."


class DatasetPulled(Problem):
    """The dataset was pulled from the release; the manifest still lists it, and `detail` has the reason."""

    status: ClassVar[int] = 410
    slug: ClassVar[str] = "dataset-pulled"
    detail: ClassVar[str] = "This dataset was pulled from the release."


class BadSignature(BadRequest):
    """The signature is not of this manifest by a known key."""

    slug: ClassVar[str] = "bad-signature"


@dataclass(frozen=True)
class Candidate:
    """A dataset of a release, with all that decides whether its version can be released.

    users  whose consent is needed: those of its session, else the person responsible for its animal
    left   those of them whose account was deactivated or deleted
    is_hidden   from the caller now: no name of it may be shown
    """

    dataset_id: UUID
    session_id: UUID | None
    folder: str
    path: str
    sha256: str | None
    n_verified: int
    qc: int
    is_deleted: bool
    is_private: bool
    is_hidden: bool
    users: Mapping[UUID, str]
    left: Collection[UUID] = frozenset()


@dataclass(frozen=True)
class Consents:
    """Who agreed to a release, and who withdrew that."""

    agreed: frozenset[UUID]
    withdrawn: frozenset[UUID] = frozenset()


def check_state(state: ReleaseState, allowed: Collection[ReleaseState]) -> None:
    """Raises Conflict unless a release is in one of these states."""
    if state not in allowed:
        raise Conflict(f"The release is {state}: this needs one that is {' or '.join(sorted(allowed))}.")


def check_acceptable(kinds: Collection[MissingKind]) -> None:
    """Raises BadRequest for what cannot be accepted as missing."""
    if refused := sorted(set(kinds) - ACCEPTABLE):
        raise BadRequest(
            fields={
                "accept": [f"{', '.join(refused)} cannot be missing, only {', '.join(sorted(ACCEPTABLE))}."]
            }
        )


def assess(
    candidates: Sequence[Candidate], consents: Consents, accepted: Collection[str], copies: int
) -> Readiness:
    """What each session of a release lacks."""
    by_session: dict[tuple[UUID | None, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        if candidate.is_hidden:
            continue
        by_session[candidate.session_id, candidate.folder if candidate.session_id else ""].append(candidate)
    sessions = [
        SessionReadiness(
            session=session_id,
            folder=folder,
            datasets=len(datasets),
            missing=[
                Missing(kind=kind, text=text, is_accepted=kind in ACCEPTABLE and kind in accepted)
                for kind, text in _missing(datasets, consents, copies)
            ],
        )
        for (session_id, folder), datasets in sorted(by_session.items(), key=lambda item: item[0][1])
    ]
    if n_hidden := sum(candidate.is_hidden for candidate in candidates):
        sessions.append(_hidden(n_hidden))
    is_ready = all(missing.is_accepted for session in sessions for missing in session.missing)
    return Readiness(is_ready=is_ready, copies=copies, sessions=sessions)


def _hidden(count: int) -> SessionReadiness:
    """What a caller may know of datasets that are hidden now."""
    text = f"{count} datasets are hidden from you now: withdraw this draft, and make one without them."
    missing = Missing(kind=MissingKind.HIDDEN, text=text, is_accepted=False)
    return SessionReadiness(session=None, folder="", datasets=count, missing=[missing])


def check_ready(readiness: Readiness) -> None:
    """Raises NotReady with the sessions that lack something."""
    if readiness.is_ready:
        return
    lacking = [
        session.model_dump(mode="json")
        for session in readiness.sessions
        if any(not missing.is_accepted for missing in session.missing)
    ]
    raise NotReady(extra={"sessions": lacking[:100]})


def _missing(
    datasets: Sequence[Candidate], consents: Consents, copies: int
) -> Iterator[tuple[MissingKind, str]]:
    """Of one session."""
    present = [dataset for dataset in datasets if not dataset.is_deleted]
    if deleted := [dataset for dataset in datasets if dataset.is_deleted]:
        yield (
            MissingKind.DELETED,
            f"{_names(deleted)}: deleted; restore them, or make a release without them.",
        )
    if unread := [dataset for dataset in present if dataset.sha256 is None]:
        yield MissingKind.UNREAD, f"{_names(unread)}: never read; have a copy verified."
    if few := [dataset for dataset in present if dataset.sha256 and dataset.n_verified < copies]:
        yield MissingKind.COPIES, f"{_names(few)}: fewer than {copies} verified copies; add and verify some."
    if any(dataset.is_private for dataset in present):
        yield (
            MissingKind.PRIVATE,
            "It is in a private project, of which public readers see nothing: make that public.",
        )
    yield from _missing_consents(datasets, consents)
    if doubtful := [dataset for dataset in present if dataset.qc not in _GOOD_QC]:
        kinds = sorted({QC_NAMES[dataset.qc] for dataset in doubtful})
        yield MissingKind.QC, f"{_names(doubtful)}: QC is {', '.join(kinds)}; set it, or accept this."


def _missing_consents(datasets: Sequence[Candidate], consents: Consents) -> Iterator[tuple[MissingKind, str]]:
    """A person without an account cannot consent, so that can be accepted, unless the person had withdrawn it."""
    left = {user_id for dataset in datasets for user_id in dataset.left} - consents.withdrawn
    users = {user_id: name for dataset in datasets for user_id, name in dataset.users.items()}
    absent = {user_id: name for user_id, name in users.items() if user_id not in consents.agreed}
    if names := sorted(name for user_id, name in absent.items() if user_id not in left | consents.withdrawn):
        yield MissingKind.CONSENT, f"Consent of {', '.join(names)}: POST /releases/NAME/consent by each."
    if names := sorted(name for user_id, name in absent.items() if user_id in consents.withdrawn):
        yield (
            MissingKind.CONSENT,
            f"Consent of {', '.join(names)}, withdrawn: ask each, or make a release without this session.",
        )
    if names := sorted(name for user_id, name in absent.items() if user_id in left):
        yield (
            MissingKind.CONSENT_LEFT,
            f"Consent of {', '.join(names)}, without an account now: ask each, and accept this.",
        )


def _names(datasets: Sequence[Candidate]) -> str:
    """The first paths, and how many there are more."""
    named = ", ".join(sorted(dataset.path for dataset in datasets)[:_MOST_NAMED])
    return named if len(datasets) <= _MOST_NAMED else f"{named} and {len(datasets) - _MOST_NAMED} more"
