"""A claimed job and its files, as the server and the worker exchange them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cingulum.worker.tasks.context import JobScope


@dataclass(frozen=True)
class JobInput:
    """A dataset that the job reads: its path below the session, and the hash of the bytes."""

    relative_path: str
    sha256: str

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> JobInput:
        """Read an input of a job; servers of the previous version call its path `path`.

        >>> JobInput.parse({"path": "alf/trials.table.pqt", "sha256": "ff"}).relative_path
        'alf/trials.table.pqt'
        """
        return cls(values.get("relative_path") or values["path"], values["sha256"])


@dataclass(frozen=True)
class JobOutput:
    """A file that the run wrote: its path below the session, its upload, and the hash of its bytes."""

    relative_path: str
    upload_id: str
    sha256: str

    def body(self) -> dict[str, str]:
        """As a completed job reports it; services of the previous version know `relative_path` as `name`."""
        return {"name": self.relative_path, "upload_id": self.upload_id, "sha256": self.sha256}


@dataclass(frozen=True)
class ClaimedJob:
    """A job, with the token of this worker's attempt."""

    id: str
    token: int
    task: str
    session_path: str
    scope: JobScope
    inputs: tuple[JobInput, ...]
    parameters: Mapping[str, Any]

    @classmethod
    def parse(cls, payload: Mapping[str, Any]) -> ClaimedJob | None:
        """Read the response of `POST /jobs/claim`; None if there was no job.

        >>> ClaimedJob.parse({"job": None}) is None
        True
        """
        job = payload["job"]
        if job is None:
            return None
        return cls(
            id=str(job["id"]),
            token=int(payload["token"]),
            task=job["task"],
            session_path=job["session_path"],
            scope=JobScope(job.get("session_id"), job.get("subject"), job.get("lab"), job["probe"]),
            inputs=tuple(JobInput.parse(item) for item in job["inputs"]),
            parameters=payload["parameters"],
        )

    @property
    def label(self) -> str:
        """The job as people read it."""
        return f"{self.task} of {self.session_path} {self.scope.probe}".rstrip()
