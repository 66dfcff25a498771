"""Jobs: the graph of a session, and one job with its live log."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages.rendering import GUARDS, show
from services.portal.pages.viewer import Part, Viewer, Viewing
from services.portal.pages.words import job_name

router = APIRouter()
Told = Mapping[str, Any]
TONES: Final = {
    "Complete": "good",
    "Empty": "good",
    "Incomplete": "warn",
    "Errored": "bad",
    "Abandoned": "bad",
    "Held": "warn",
}
OVER: Final = frozenset({"Complete", "Empty", "Incomplete", "Errored", "Abandoned"})
ROW_PX: Final = 36
STEP_PX: Final = 22


@dataclass(frozen=True)
class Node:
    """A job in the graph: its row from above, its column from the left, and the rows of those it waits for."""

    job: Told
    row: int
    column: int
    parents: tuple[int, ...]

    @property
    def x(self) -> int:
        """Middle of its mark, px."""
        return 14 + STEP_PX * self.column

    @property
    def y(self) -> int:
        """Middle of its mark, px."""
        return ROW_PX // 2 + ROW_PX * self.row

    @property
    def tone(self) -> str:
        """Good, bad, warn, or plain while it runs or waits."""
        return TONES.get(self.job["state"], "plain")


def graph(jobs: Sequence[Told], parents: Mapping[str, Sequence[str]]) -> list[Node]:
    """Jobs so that each stands below those it waits for, one column further right.

    >>> jobs = [{"id": "b", "task": "fit"}, {"id": "a", "task": "sum"}]
    >>> [(node.job["id"], node.column, node.parents) for node in graph(jobs, {"b": ["a"]})]
    [('a', 0, ()), ('b', 1, (0,))]
    """
    known = {job["id"]: job for job in jobs}
    above = {
        one: list(dict.fromkeys(parent for parent in parents.get(one, ()) if parent in known))
        for one in known
    }
    columns = _columns(above)
    ranked = sorted(
        known, key=lambda one: (columns[one], str(known[one]["task"]), known[one].get("probe", ""))
    )
    order = _order(ranked, above, columns)
    rows = {one: row for row, one in enumerate(order)}
    return [
        Node(known[one], row, columns[one], tuple(sorted(rows[parent] for parent in above[one])))
        for one, row in rows.items()
    ]


def _columns(above: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """How many steps lie before each job on the longest way; a parent that waits for its own child does not count."""
    columns: dict[str, int] = {}
    for start in above:
        path = {} if start in columns else {start: iter(above[start])}
        while path:
            one, further = next(reversed(path.items()))
            parent = next((each for each in further if each not in columns and each not in path), None)
            if parent is not None:
                path[parent] = iter(above[parent])
                continue
            del path[one]
            before = [columns[each] for each in above[one] if each in columns]
            columns[one] = max(before, default=-1) + 1
    return columns


def _order(
    ranked: Sequence[str], above: Mapping[str, Sequence[str]], columns: Mapping[str, int]
) -> dict[str, None]:
    """Each job below those it waits for, and directly below the last of them where that can be."""
    below: dict[str, list[str]] = {one: [] for one in ranked}
    missing = dict.fromkeys(ranked, 0)
    for one in ranked:
        for parent in above[one]:
            if columns[parent] < columns[one]:
                below[parent].append(one)
                missing[one] += 1
    order: dict[str, None] = {}
    for first in ranked:
        next_ones = [first]
        while next_ones:
            one = next_ones.pop()
            if one in order or missing[one]:
                continue
            order[one] = None
            for child in below[one]:
                missing[child] -= 1
            next_ones += reversed(below[one])
    return order


def summary(jobs: Sequence[Told]) -> str:
    """How far a session's jobs are.

    >>> summary([{"state": "Complete"}, {"state": "Started"}, {"state": "Errored"}])
    '2 of 3 jobs are over; 1 failed.'
    """
    over = sum(job["state"] in OVER for job in jobs)
    failed = sum(job["state"] == "Errored" for job in jobs)
    said = (
        f"{over} of {len(jobs)} job{'' if len(jobs) == 1 else 's'} {'is' if len(jobs) == 1 else 'are'} over"
    )
    return f"{said}; {failed} failed." if failed else f"{said}."


@dataclass(frozen=True)
class Shown:
    """The jobs of a session as its page shows them. `mark` changes with what is to be seen."""

    nodes: list[Node]
    summary: str
    live: bool
    mark: str


async def jobs_of(viewer: Viewer, session_id: str) -> Part:
    """The jobs of a session and what each waits for."""
    asked = {"session": session_id, "limit": 1000}
    jobs, tasks = await viewer.parts(("/jobs", asked), ("/tasks", asked))
    if jobs.missing:
        return jobs
    parents = {task["id"]: task["parents"] for task in tasks.rows}
    nodes = await asyncio.to_thread(graph, jobs.rows, parents)
    seen = [[node.job[name] for name in ("id", "state", "why", "attempts", "worker")] for node in nodes]
    mark = hashlib.sha256(orjson.dumps(seen)).hexdigest()[:12]
    live = any(node.job["state"] not in OVER for node in nodes)
    return Part(Shown(nodes, summary([node.job for node in nodes]), live, mark))


@router.get("/app/sessions/{session_id}/jobs")
async def renewed(request: Request, session_id: UUID, viewer: Viewing, seen: str = "") -> Response:
    """The jobs of a session again, for the page that shows them; nothing where nothing has changed."""
    jobs = await jobs_of(viewer, str(session_id))
    if jobs.value and jobs.value.mark == seen:
        return Response(status_code=204, headers=GUARDS)
    return await show(request, "jobs.html", viewer, session_id=session_id, jobs=jobs)


@router.get("/app/jobs/{job_id}")
async def job(request: Request, job_id: UUID, viewer: Viewing) -> Response:
    """One job: why it is where it is, its attempts, its log."""
    found = await viewer.get(f"/jobs/{job_id}")
    log = await viewer.part(f"/jobs/{job_id}/log")
    return await show(
        request,
        "job.html",
        viewer,
        job=found,
        name=job_name(found),
        tone=TONES.get(found["state"], "plain"),
        log=log,
        after=_last(log),
        live=found["state"] not in OVER,
    )


@router.get("/app/jobs/{job_id}/log")
async def log_after(request: Request, job_id: UUID, viewer: Viewing, after: int = 0) -> Response:
    """What was logged since, for the page that follows it; nothing where nothing was."""
    found = await viewer.get(f"/jobs/{job_id}")
    log = Part(await viewer.get(f"/jobs/{job_id}/log", after=after))
    live = found["state"] not in OVER
    if live and not log.value:
        return Response(status_code=204, headers=GUARDS)
    return await show(request, "log.html", viewer, job=found, log=log, after=_last(log) or after, live=live)


def _last(log: Part) -> int:
    return int(log.value[-1]["id"]) if log.value else 0
