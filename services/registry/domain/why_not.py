"""Jobs that would make a dataset that is not registered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cingulum.alf.loading import MOST_FILES, LoadReason
from cingulum.alf.name_patterns import NamePattern
from cingulum.worker.pipelines import Level, TaskDeclaration
from cingulum.worker.pipelines.matching import ANY, TaskScope, matches, path_text
from libs.common.schemas.deletions import UNDO_DAYS
from libs.common.schemas.states import JobState

_NEXT_STEPS: Final = {
    JobState.WAITING: "Wait for a worker: see that one runs that has this task.",
    JobState.HELD: "It goes on when its reason no longer holds.",
    JobState.STARTED: "Wait until it is complete.",
    JobState.PUBLISHING: "Wait: its files are being registered.",
    JobState.ERRORED: "Read its log, mend the cause and run it again.",
    JobState.ABANDONED: "Run it again.",
}


@dataclass(frozen=True)
class MakingJob:
    """A job of the session, and why it is in its state; `probe` is empty for the whole session."""

    id: UUID
    task: str
    probe: str
    state: str
    reason: str


@dataclass(frozen=True)
class DeletedFile:
    """A dataset that was deleted; `path` is below the session's folder."""

    collection: str
    name: str
    path: str
    deleted_at: datetime


@dataclass(frozen=True)
class EmbargoedFile:
    """A dataset of a release that is not public yet; `path` is below the session's folder."""

    collection: str
    name: str
    path: str
    release: str
    until: datetime


def explain_embargoes(pattern: NamePattern, files: Sequence[EmbargoedFile]) -> list[LoadReason]:
    """The embargo of each file that is meant: its reader may load it, others not before its end."""
    meant = [file for file in files if pattern.names(file.name) and pattern.is_in(file.collection)]
    return [_of_embargo(file) for file in meant[:MOST_FILES]]


def _of_embargo(file: EmbargoedFile) -> LoadReason:
    until = file.until.isoformat()
    return LoadReason(
        "under-embargo",
        f"It is in the release {file.release}, under embargo until {until}: public readers do not see it before.",
        "Wait until then, or send them a link to the release.",
        path=file.path,
        facts={"release": file.release, "until": until},
        blocks=False,
    )


def explain_deletions(pattern: NamePattern, files: Sequence[DeletedFile], now: datetime) -> list[LoadReason]:
    """The last deletion of each file that is meant, newest first."""
    newest: dict[str, DeletedFile] = {}
    for file in sorted(files, key=lambda file: file.deleted_at):
        if pattern.names(file.name) and pattern.is_in(file.collection):
            newest[file.path] = file
    last = sorted(newest.values(), key=lambda file: file.deleted_at, reverse=True)
    return [_of_deletion(file, now) for file in last[:MOST_FILES]]


def _of_deletion(file: DeletedFile, now: datetime) -> LoadReason:
    is_undoable = now - file.deleted_at < timedelta(days=UNDO_DAYS)
    undo = "Undo its deletion, or register it again." if is_undoable else "Register it again."
    at = file.deleted_at.isoformat()
    return LoadReason(
        "deleted",
        f"It was deleted at {at}.",
        undo,
        path=file.path,
        facts={"deleted_at": at, "undo": is_undoable},
    )


def explain_making(
    pattern: NamePattern,
    jobs: Sequence[MakingJob],
    tasks: Mapping[str, TaskDeclaration],
    files: Iterable[tuple[str, str]],
) -> list[LoadReason]:
    """What the session's jobs that would make the dataset do; without one, what tasks lack that declare it.

    `files` are collections and names of the session's files.
    """
    makers = {name: task for name, task in tasks.items() if _makes(task, ANY, pattern)}
    reasons = [
        _of_job(job)
        for job in jobs
        if job.task in makers and _makes(makers[job.task], TaskScope("", job.probe), pattern)
    ]
    with_job = {job.task for job in jobs}
    known = list(files)
    return reasons + [_without_job(task, known) for name, task in makers.items() if name not in with_job]


def _makes(task: TaskDeclaration, scope: TaskScope, pattern: NamePattern) -> bool:
    filled = [path_text(output, scope).rpartition("/") for output in task.outputs]
    return any(pattern.overlaps(collection, name) for collection, _, name in filled)


def _of_job(job: MakingJob) -> LoadReason:
    where = f" of {job.probe}" if job.probe else ""
    why = f": {job.reason}" if job.reason else "."
    facts = {"job": str(job.id), "task": job.task, "probe": job.probe, "state": job.state, "why": job.reason}
    if JobState(job.state).has_succeeded:
        sentence = f"The job {job.task}{where} makes it, and ended as {job.state} without it{why}"
        return LoadReason("not-made", sentence, "Read its log, then run it again.", facts=facts)
    sentence = f"The job {job.task}{where} makes it, and is {job.state}{why}"
    return LoadReason("being-made", sentence, _NEXT_STEPS[JobState(job.state)], facts=facts)


def _without_job(task: TaskDeclaration, files: Sequence[tuple[str, str]]) -> LoadReason:
    lacking = [
        path_text(input_pattern, ANY)
        for input_pattern in task.inputs
        if input_pattern.required and not any(matches(input_pattern, ANY, *file) for file in files)
    ]
    unit = "session" if task.level is Level.SESSION else "probe"
    facts = {"task": task.name, "missing_inputs": lacking}
    sentence = f"The task {task.name} makes it, and this session has no job of it."
    step = (
        f"Register its inputs: {', '.join(lacking)}."
        if lacking
        else f"Its inputs are registered: a job of each {unit} follows once they are verified."
    )
    return LoadReason("no-job", sentence, step, facts=facts)
