"""Every event of the system, in one file: a past fact, who publishes it, who handles it, what handling it twice means.

Events carry ids and hashes, never protected rows. A subject is `cingulum.<service>.<noun>.<fact>.v<n>`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final
from uuid import UUID

from libs.common.catalogue import Service
from libs.common.schemas.base import Schema

RETIRED: Final = frozenset({"cingulum.metadata.session.created.v1", "cingulum.metadata.session.deleted.v1"})
"""Subjects of earlier versions that no version still in use handles: what is left of them counts as handled."""


class Event(Schema):
    """Base of all events; `subject` names the kind on the bus.

    `aliases` are subjects it had before: stored events with them are handled as this kind. A new field has a default
    and comes with a new subject: earlier versions, which refuse the field, then leave the event to this one.
    `ordered_by` is the field whose value orders events: while one waits for a retry, later ones with the same value
    wait behind it.
    """

    subject: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    ordered_by: ClassVar[str | None] = None
    kinds: ClassVar[dict[str, type[Event]]] = {}  # by subject, old ones included

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: object) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        for subject in cls.subjects():
            if subject in RETIRED:
                raise TypeError(f"{subject} is retired: {cls.__name__} needs another subject")
            other = cls.kinds.setdefault(subject, cls)
            if other is not cls and other.__qualname__ != cls.__qualname__:
                raise TypeError(f"{subject} names both {other.__name__} and {cls.__name__}")
            cls.kinds[subject] = cls

    @classmethod
    def subjects(cls) -> tuple[str, ...]:
        """The subject, then the ones it had before."""
        return (cls.subject, *cls.aliases)

    @staticmethod
    def ordering_key(subject: str, payload: Mapping[str, object]) -> str | None:
        """What an event is ordered by; None where its order does not matter, or this version does not know it."""
        field = kind.ordered_by if (kind := Event.kinds.get(subject)) else None
        value = payload.get(field) if field else None
        return None if value is None else f"{field}:{value}"


def origin_of(subject: str) -> Service:
    """The service that publishes events of a subject.

    >>> origin_of("cingulum.registry.copy.verified.v1")
    <Service.REGISTRY: 'registry'>
    """
    return Service(subject.split(".")[1])


class SessionsDeleted(Event):
    """Sessions were deleted, by themselves or with their subject.

    From   metadata
    To     scheduler (their jobs are held, running attempts end)
    Twice  they are held already: do nothing
    """

    subject: ClassVar[str] = "cingulum.metadata.sessions.deleted.v1"
    session_ids: list[UUID]


class SessionsRestored(Event):
    """Deleted sessions were restored.

    From   metadata
    To     scheduler (reconciles their jobs)
    Twice  the graph is the same: do nothing
    """

    subject: ClassVar[str] = "cingulum.metadata.sessions.restored.v1"
    session_ids: list[UUID]


class SessionsMerged(Event):
    """Sessions of one subject, day and number were merged into one of them: what they have moves to it.

    From   metadata
    To     registry (datasets), scheduler (tasks and jobs)
    Twice  all of it has moved already: do nothing
    """

    subject: ClassVar[str] = "cingulum.metadata.sessions.merged.v1"
    ordered_by: ClassVar[str | None] = "merge_id"
    merge_id: UUID
    into: UUID
    session_ids: list[UUID]


class SessionsUnmerged(Event):
    """A merge of sessions was undone: what it moved goes back, where it still is in the session that stayed.

    From   metadata
    To     registry (datasets), scheduler (tasks and jobs)
    Twice  all of it has moved back already: do nothing
    """

    subject: ClassVar[str] = "cingulum.metadata.sessions.unmerged.v1"
    ordered_by: ClassVar[str | None] = "merge_id"
    merge_id: UUID
    into: UUID
    session_ids: list[UUID]


class DatasetsMoved(Event):
    """Datasets moved from sessions to others, by a merge or its undo.

    From   registry
    To     scheduler (reconciles the jobs of all these sessions), compressor (recordings are of the datasets' sessions)
    Twice  both follow what is now: do nothing
    """

    subject: ClassVar[str] = "cingulum.registry.datasets.moved.v1"
    session_ids: list[UUID]
    dataset_ids: list[UUID]


class FilesRegistered(Event):
    """Files were registered in a session, by one request. With `only_added` no file left its path by it.

    From   registry
    To     metadata (the registering user joins the session's users), scheduler (may have jobs now)
    Twice  the user already exists, the graph is the same: do nothing
    """

    subject: ClassVar[str] = "cingulum.registry.files.registered.v2"
    aliases: ClassVar[tuple[str, ...]] = ("cingulum.registry.files.registered.v1",)
    ordered_by: ClassVar[str | None] = "session_id"
    session_id: UUID | None
    user_id: UUID | None
    dataset_ids: list[UUID]
    only_added: bool = False


class ProofOrdered(Event):
    """Files were reported to be on a managed repository, and must be read to verify them.

    From   registry
    To     transfer (reads those of the central store; a lab's agent asks registry for its own)
    Twice  the order already exists, or the bytes are read once more
    """

    subject: ClassVar[str] = "cingulum.registry.proof.ordered.v1"
    copy_ids: list[UUID]


class CopyVerified(Event):
    """Every byte of a copy was read, and its SHA-256 is that of its version.

    From   registry
    To     scheduler (inputs may be ready), compressor (may index)
    Twice  do nothing
    """

    subject: ClassVar[str] = "cingulum.registry.copy.verified.v1"
    ordered_by: ClassVar[str | None] = "dataset_id"
    dataset_id: UUID
    copy_id: UUID
    session_id: UUID | None
    sha256: str


class UploadCompleted(Event):
    """Every byte of the file is stored, fsynced, and its SHA-256 is the one announced.

    From   transfer, once its transaction has committed
    To     registry (the copy becomes verified)
    Twice  the copy is verified already: do nothing
    """

    subject: ClassVar[str] = "cingulum.transfer.upload.completed.v1"
    ordered_by: ClassVar[str | None] = "sha256"
    upload_id: UUID
    sha256: str
    md5: str
    size_bytes: int


class ObjectDamaged(Event):
    """An object of the central store was read whole, and its bytes are not those of its name.

    From   transfer
    To     registry (copies that were proved by it are suspect, so that their bytes are sent again)
    Twice  they are suspect already: do nothing
    """

    subject: ClassVar[str] = "cingulum.transfer.object.damaged.v1"
    ordered_by: ClassVar[str | None] = "sha256"
    store: str
    sha256: str
    found_sha256: str


class JobPublishing(Event):
    """A worker has finished a job under a valid token; its outputs wait to be registered.

    From   scheduler
    To     registry (registers all outputs in one transaction and answers OutputsRegistered)
    Twice  the same answer again: scheduler may have missed the first one
    """

    subject: ClassVar[str] = "cingulum.scheduler.job.publishing.v1"
    ordered_by: ClassVar[str | None] = "job_id"
    job_id: UUID
    token: int


class OutputsRegistered(Event):
    """All outputs of a job are registered and verified.

    From   registry
    To     scheduler (the job is Complete, its children are released)
    Twice  the job is Complete already: do nothing
    """

    subject: ClassVar[str] = "cingulum.registry.outputs.registered.v1"
    ordered_by: ClassVar[str | None] = "job_id"
    job_id: UUID
    token: int
    dataset_ids: list[UUID]


class OutputsRefused(Event):
    """A job's outputs cannot be registered; the reason is in registry's answer.

    From   registry
    To     scheduler (the job is Errored with that reason)
    Twice  do nothing
    """

    subject: ClassVar[str] = "cingulum.registry.outputs.refused.v1"
    ordered_by: ClassVar[str | None] = "job_id"
    job_id: UUID
    token: int
    reason: str


class JobCompleted(Event):
    """A job is Complete and its outputs can be read.

    From   scheduler
    To     compressor (indexes what was compressed)
    Twice  do nothing
    """

    subject: ClassVar[str] = "cingulum.scheduler.job.completed.v1"
    ordered_by: ClassVar[str | None] = "job_id"
    job_id: UUID
    session_id: UUID | None
    task: str
    dataset_ids: list[UUID]
