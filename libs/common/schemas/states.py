"""States that several services use, as tables, events and responses hold them."""

from __future__ import annotations

from enum import StrEnum


class JobState(StrEnum):
    """Where a job is. Alyx knows eight of these nine; Publishing is shown as Started.

    >>> JobState.PUBLISHING.alyx_name, JobState.PUBLISHING.alyx_code
    ('Started', 30)
    """

    WAITING = "Waiting"
    HELD = "Held"
    STARTED = "Started"
    PUBLISHING = "Publishing"  # a worker's completion is acknowledged, registry has not answered yet
    ERRORED = "Errored"
    ABANDONED = "Abandoned"
    EMPTY = "Empty"  # ran well and made nothing
    INCOMPLETE = "Incomplete"  # ran well and made only a part of what is declared
    COMPLETE = "Complete"

    @property
    def alyx_name(self) -> str:
        """Name in Alyx's `/tasks`."""
        return JobState.STARTED.value if self is JobState.PUBLISHING else self.value

    @property
    def alyx_code(self) -> int:
        """The number that Alyx's own table and filters use."""
        return _ALYX_CODES[self.alyx_name]

    @property
    def is_running(self) -> bool:
        """A worker holds a token for it, or registry has not answered yet."""
        return self in {JobState.STARTED, JobState.PUBLISHING}

    @property
    def has_succeeded(self) -> bool:
        """It ran to its end; what it made (perhaps nothing) can be built upon."""
        return self in {JobState.COMPLETE, JobState.INCOMPLETE, JobState.EMPTY}


_ALYX_CODES = {
    "Waiting": 20,
    "Held": 25,
    "Started": 30,
    "Errored": 40,
    "Abandoned": 45,
    "Empty": 50,
    "Incomplete": 55,
    "Complete": 60,
}


class AttemptState(StrEnum):
    """What became of one claim of a job, known by its token. All but the first two are written once."""

    RUNNING = "running"
    PUBLISHING = "publishing"
    REGISTERED = "registered"  # its outputs are datasets now (or the run made none)
    REFUSED = "refused"  # registry could not register its outputs
    FAILED = "failed"  # reported by the worker
    LOST = "lost"  # its lease ran out
    RETURNED = "returned"  # an input could not be read: the run did not begin
    SUPERSEDED = "superseded"  # its inputs changed while it ran
    STOPPED = "stopped"  # a person or a legacy runner took the job away

    @property
    def has_ended(self) -> bool:
        """The state is final."""
        return self not in {AttemptState.RUNNING, AttemptState.PUBLISHING}


class CopyState(StrEnum):
    """What is known of one copy of one version of a dataset in one repository."""

    CLAIMED = "claimed"  # reported by a client, on a repository whose bytes we cannot read
    EXPECTED = "expected"  # expected or reported here, and not read yet
    ARRIVING = "arriving"  # some parts are here
    LANDED = "landed"  # all bytes are here; their proof is not written yet
    VERIFIED = "verified"  # every byte was read, and the SHA-256 is that of the version
    SUSPECT = "suspect"  # a proof failed or is too old, or the file is reported missing
    LOST = "lost"  # not there
    RETIRING = "retiring"  # to be removed; it no longer counts
    RETIRED = "retired"  # removed


class UploadState(StrEnum):
    """Where an upload is."""

    ANNOUNCED = "announced"  # no part is here
    ARRIVING = "arriving"  # a part is here
    LANDED = "landed"  # all bytes are written, fsynced and hashed: immutable from now on
    SWEPT = "swept"  # expired; its bytes may be deleted


class ActionKind(StrEnum):
    """The kinds of actions on subjects."""

    SESSION = "session"
    SURGERY = "surgery"
    WATER_RESTRICTION = "water-restriction"
    CHRONIC_INSERTION = "chronic-insertion"


class ContentType(StrEnum):
    """What a dataset can belong to, by the names of Alyx's models; all but a session own aggregates."""

    SESSION = "session"
    SUBJECT = "subject"
    PROJECT = "project"
    LAB = "lab"
    TAG = "tag"
    PROBEINSERTION = "probeinsertion"
    LABMEMBER = "labmember"  # who created a dataset that belongs to nothing else; not shown

    @staticmethod
    def name_in(text: str) -> str:
        """The model's name in what clients send, known or not.

        >>> ContentType.name_in("subjects.Subject"), ContentType.name_in("session") == ContentType.SESSION
        ('subject', True)
        """
        return text.rpartition(".")[2].lower()

    @staticmethod
    def label_of(name: str | None) -> str | None:
        """How Alyx shows a content type, as app.model; None where it shows none.

        >>> ContentType.label_of("probeinsertion"), ContentType.label_of("labmember"), ContentType.label_of("other")
        ('experiments.probeinsertion', None, 'other')
        """
        if name is None or name == ContentType.LABMEMBER:
            return None
        return f"{_APPS[name]}.{name}" if name in _APPS else name


_APPS = {
    "session": "actions",
    "subject": "subjects",
    "project": "subjects",
    "lab": "misc",
    "tag": "data",
    "probeinsertion": "experiments",
}
