"""The rows of the measured database, as tuples for COPY: 5 labs, 200 subjects, 5,000 sessions, 250,000 datasets.

Two sessions of five are ephys sessions with two probes. All ids are derived from names, so that every run has the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

LABS, USERS, PROJECTS, SUBJECTS = 5, 10, 4, 200
QC = (0, 0, 10, 30, 40, 50)
STATES = ["Complete"] * 46 + ["Waiting", "Errored", "Incomplete", "Abandoned"]  # of 50 tasks
TASKS = ("RegisterRaw", "CompressVideo", "EphysPulses", "SortSpikes")
PROTOCOLS = ("ephysChoiceWorld7.1", "trainingChoiceWorld7.1", "biasedChoiceWorld7.1")
_FIRST = datetime(2022, 1, 1, 10, tzinfo=UTC)
_OF_PROBE = (
    *(f"spikes.{name}" for name in ("times", "clusters", "amps", "depths", "templates", "samples")),
    *(f"clusters.{name}" for name in ("amps", "channels", "depths", "peakToTrough", "waveforms")),
    *(f"clusters.{name}" for name in ("waveformsChannels", "mlapdv", "probes")),
    *(f"channels.{name}" for name in ("rawInd", "localCoordinates", "mlapdv", "brainLocationIds", "probes")),
    *(f"templates.{name}" for name in ("amps", "waveforms", "waveformsChannels")),
    *("drift.times", "drift.um", "drift_depths.um"),
)
_OF_TASK = ("licks.times", "camera.times", "imaging.times", "widefield.times", "_ibl_trials.probabilityLeft")
EPHYS = tuple((f"alf/probe0{probe}", f"{name}.npy") for probe in (0, 1) for name in _OF_PROBE)
TRAINING = tuple((f"alf/task_{n:02d}", f"{name}.npy") for n in range(10) for name in _OF_TASK)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Table:
    """Rows of one table, in the order of its columns."""

    name: str  # schema.table
    columns: str
    rows: Iterator[Row]


@cache
def id_of(kind: str, *numbers: int) -> UUID:
    """The id of a thing, by its kind and numbers; version 4, since the ONE client accepts no other."""
    text = ":".join((kind, *map(str, numbers)))
    return UUID(bytes=hashlib.md5(text.encode(), usedforsecurity=False).digest(), version=4)


def type_of(name: str) -> str:
    """The dataset type of a file name."""
    stem = name.removesuffix(".npy").removeprefix("_ibl_")
    return "channels.brainLocationIds_ccf_2017" if stem == "channels.brainLocationIds" else stem


def type_names() -> list[str]:
    """The dataset types of all files."""
    return sorted({type_of(name) for _, name in EPHYS + TRAINING})


@dataclass(frozen=True)
class Session:
    """One session of the database: its subject, lab and start follow from its number."""

    n: int

    @property
    def subject(self) -> int:
        """Number of the subject."""
        return self.n % SUBJECTS

    @property
    def lab(self) -> int:
        """Number of the lab."""
        return self.subject % LABS

    @property
    def start(self) -> datetime:
        """A subject has a session per day."""
        return _FIRST + timedelta(days=self.n // SUBJECTS, minutes=self.subject)

    @property
    def is_ephys(self) -> bool:
        """Two of five are."""
        return self.n % 5 < 2

    @property
    def folder(self) -> str:
        """Its folder below a store."""
        return f"load_lab{self.lab}/Subjects/LOAD_{self.subject:03d}/{self.start:%Y-%m-%d}/001"

    @property
    def files(self) -> tuple[tuple[str, str], ...]:
        """Collections and names of its 50 datasets."""
        return EPHYS if self.is_ephys else TRAINING

    @property
    def action(self) -> Row:
        """Its row."""
        return (
            *(id_of("session", self.n), "session", id_of("subject", self.subject), id_of("lab", self.lab)),
            *(self.start.replace(tzinfo=None).isoformat(), self.start, self.start.date(), 1, "Experiment"),
            PROTOCOLS[0 if self.is_ephys else 1 + self.n % 2],
            *(400 + self.n % 300, 300 + self.n % 90, QC[self.n % 6]),
            json.dumps({"task": QC[self.n % 6], "stimOn": self.n % 100 / 100}),
            json.dumps({"IS_MOCK": False, "SUBJECT_WEIGHT": 20 + self.n % 9}),
        )


def small_tables() -> Iterator[Table]:
    """Users, labs, repositories and subjects."""
    users = ((id_of("user", n), f"load_user{n}") for n in range(USERS))
    yield Table("metadata.users", "id username", users)
    yield Table("metadata.labs", "id name", ((id_of("lab", n), f"load_lab{n}") for n in range(LABS)))
    projects = ((id_of("project", n), f"load_project{n}") for n in range(PROJECTS))
    yield Table("metadata.projects", "id name", projects)
    rigs = ((id_of("rig", n), f"load_lab{n}_SR", f"load{n}", None, True) for n in range(LABS))
    yield Table("registry.repositories", "id name hostname data_url globus_is_personal", rigs)
    url = "https://data.example.org/load_lab{}/Subjects/"
    servers = (
        (id_of("server", n), f"load_server_lab{n}", f"server{n}", url.format(n), False) for n in range(LABS)
    )
    yield Table("registry.repositories", "id name hostname data_url globus_is_personal", servers)
    pairs = ((id_of("lab", n), id_of(kind, n)) for n in range(LABS) for kind in ("rig", "server"))
    yield Table("metadata.lab_repositories", "lab_id repository_id", pairs)
    subjects = (
        (id_of("subject", n), f"LOAD_{n:03d}", id_of("lab", n % LABS), id_of("user", n % USERS), "MF"[n % 2])
        for n in range(SUBJECTS)
    )
    yield Table("metadata.subjects", "id nickname lab_id responsible_user_id sex", subjects)
    owned = ((id_of("subject", n), id_of("project", n % PROJECTS)) for n in range(SUBJECTS))
    yield Table("metadata.subject_projects", "subject_id project_id", owned)


def session_tables(sessions: int) -> Iterator[Table]:
    """Sessions, their users and projects, insertions and tasks."""
    every = [Session(n) for n in range(sessions)]
    columns = (
        "id kind subject_id lab_id start_time start_at day number type task_protocol n_trials n_correct_trials qc"
        " extended_qc json"
    )
    yield Table("metadata.actions", columns, (session.action for session in every))
    users = ((id_of("session", each.n), id_of("user", each.subject % USERS)) for each in every)
    yield Table("metadata.action_users", "action_id user_id", users)
    projects = ((id_of("session", each.n), id_of("project", each.subject % PROJECTS)) for each in every)
    yield Table("metadata.session_projects", "session_id project_id", projects)
    insertions = (
        (
            id_of("insertion", each.n, probe),
            id_of("session", each.n),
            f"probe0{probe}",
            f"1719{each.n:06d}{probe}",
            json.dumps({"extended_qc": {"alignment_resolved": each.n % 2 == 0}}),
        )
        for each in every
        if each.is_ephys
        for probe in (0, 1)
    )
    yield Table("metadata.insertions", "id session_id name serial json", insertions)
    columns = (
        "id task session_id state level priority graph executable time_out_secs version log data_repository_id"
        " ram"
    )
    yield Table("scheduler.jobs", columns, (row for each in every for row in _tasks(each)))


def _tasks(session: Session) -> Iterator[Row]:
    for n, name in enumerate(TASKS):
        yield (
            *(id_of("task", session.n, n), name, id_of("session", session.n)),
            *(
                STATES[(session.n * 4 + n) % 50],
                n,
                90 - 10 * n,
                "load",
                f"ibllib.pipes.x.{name}",
                3600,
                "2.10.1",
            ),
            *("line of the log of this task\n" * 20, id_of("rig", session.lab), 4),
        )


def dataset_tables(sessions: int, type_ids: dict[str, UUID], format_id: UUID) -> Iterator[Table]:
    """50 datasets per session, each with one version and a copy on the rig and on the server."""
    every = [Session(n) for n in range(sessions)]
    columns = (
        "id session_id lab_path collection name dataset_type_id format_id created_by software_version qc"
    )
    datasets = (
        (
            id_of("dataset", each.n, k),
            id_of("session", each.n),
            each.folder,
            collection,
            name,
            type_ids[type_of(name)],
            format_id,
            f"load_user{each.subject % USERS}",
            "2.10.1",
            QC[(each.n + k) % 6],
        )
        for each in every
        for k, (collection, name) in enumerate(each.files)
    )
    yield Table("registry.datasets", columns, datasets)
    numbers = [(each, k) for each in every for k in range(50)]
    versions = (
        (id_of("version", each.n, k), id_of("dataset", each.n, k), 1, 1000 + k, f"{each.n:016x}{k:016x}")
        for each, k in numbers
    )
    yield Table("registry.versions", "id dataset_id generation size_bytes md5", versions)
    on_rigs = (
        (
            id_of("file", each.n, k, 0),
            id_of("dataset", each.n, k),
            id_of("rig", each.lab),
            1,
            "expected" if k % 2 else "claimed",
        )
        for each, k in numbers
    )
    on_servers = (
        (id_of("file", each.n, k, 1), id_of("dataset", each.n, k), id_of("server", each.lab), 1, "claimed")
        for each, k in numbers
    )
    columns = "id dataset_id repository_id generation state"
    yield Table("registry.copies", columns, on_rigs)
    yield Table("registry.copies", columns, on_servers)
