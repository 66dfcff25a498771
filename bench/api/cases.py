"""The measured requests, and what the same requests cost Alyx 3.6.1 on two cores of such a machine."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from bench.api.rows import EPHYS, LABS, SUBJECTS, TRAINING, Session, id_of


@dataclass(frozen=True)
class Call:
    """A request, and the status that it must have."""

    method: str
    path: str
    body: Any = None
    status: int = 200


@dataclass(frozen=True)
class Case:
    """A kind of request: the limit of its processor time, and Alyx's figures.

    `alyx_p99_ms` is with 16 clients. A case without a limit for p99 has `p99_part` 0.
    """

    name: str
    next_call: Callable[[], Call]
    limit_ms: float
    alyx_ms: float
    alyx_rps: float
    alyx_p99_ms: float
    p99_part: float = 1 / 20


def _get(path: str, **parameters: object) -> Call:
    return Call("GET", f"{path}?{urlencode(parameters)}" if parameters else path)


def cases(sessions: int, username: str) -> list[Case]:
    """All cases, each with its own endless sequence of requests in a fixed random order."""
    numbers = list(range(sessions))
    random.Random(1).shuffle(numbers)
    every = itertools.cycle([Session(n) for n in numbers])
    subjects = itertools.cycle([f"LOAD_{n:03d}" for n in range(SUBJECTS)])
    labs = itertools.cycle([f"load_lab{n}" for n in range(LABS)])
    types = "spikes.times,clusters.amps"
    waiting = _get("/tasks", status="Waiting")
    return [
        Case("sessions_of_subject", lambda: _get("/sessions", subject=next(subjects)), 2, 51, 36.3, 545),
        Case(
            "sessions_with_types",
            lambda: _get("/sessions", dataset_types=types, task_protocol="ephys", lab=next(labs), limit=250),
            *(5, 137, 12.4, 1684),
        ),
        Case(
            "sessions_with_datasets",
            lambda: _get("/sessions", datasets="spikes.times.npy", subject=next(subjects)),
            *(2, 54, 33.8, 608),
        ),
        Case(
            "session_detail", lambda: _get(f"/sessions/{id_of('session', next(every).n)}"), 6, 338, 5.3, 3321
        ),
        Case(
            "datasets_of_session",
            lambda: _get("/datasets", session=id_of("session", next(every).n)),
            *(4, 128, 13.6, 1447),
        ),
        Case("datasets_by_path", lambda: _by_path(next(every)), 2, 45, 41.4, 497),
        Case(
            "insertions_page",
            lambda: _get("/insertions", lab=next(labs), task_protocol="ephys", limit=100),
            *(6, 260, 7.0, 2849),
        ),
        Case("tasks_waiting", lambda: waiting, 10, 1041, 1.7, 9497),
        Case("task_patch", lambda: _patch(next(every)), 3, 26, 65.5, 274, p99_part=1 / 8),
        Case("register_30_files", _registrations(every, username), 30, 2628, 0.69, 23281, p99_part=0),
    ]


def _by_path(session: Session) -> Call:
    pairs = {
        "session__subject__nickname": f"LOAD_{session.subject:03d}",
        "session__start_time__date": f"{session.start:%Y-%m-%d}",
        "session__number": "1",
        "name": "spikes.times.npy",
        "collection": "alf/probe00",
    }
    return _get("/datasets", django=",".join(f"{field},{value}" for field, value in pairs.items()))


def _patch(session: Session) -> Call:
    """The first task of every session is Complete, or waits in few."""
    body = {"status": "Complete", "log": "x" * 2000, "version": "2.11", "time_elapsed_secs": 12.5}
    return Call("PATCH", f"/tasks/{id_of('task', session.n, 1)}", body)


def _registrations(every: Any, username: str) -> Callable[[], Call]:
    """30 new files in a new collection of a session."""
    run, serial = format(int(time.time()), "x"), itertools.count()
    names = [name for _, name in EPHYS[:25] + TRAINING[:5]]

    def next_call() -> Call:
        session: Session = next(every)
        folder = f"alf/load{run}/{next(serial):05d}"
        body = {
            "created_by": username,
            "path": f"LOAD_{session.subject:03d}/{session.start:%Y-%m-%d}/001",
            "filenames": [f"{folder}/{name}" for name in names],
            "name": f"load_lab{session.lab}_SR",
            "labs": f"load_lab{session.lab}",
            "hashes": [f"{n:032x}" for n in range(30)],
            "filesizes": list(range(1, 31)),
            "versions": ["1.0"] * 30,
            "exists": True,
            "server_only": False,
            "default": True,
            "check_protected": True,
        }
        return Call("POST", "/register-file", body, 201)

    return next_call
