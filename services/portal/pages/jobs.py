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

from services.portal.pages.formatting import job_name
from services.portal.pages.rendering import GUARDS, show
from services.portal.pages.viewer import PagePart, Viewer, Viewing

router = APIRouter(include_in_schema=False)
Json = Mapping[str, Any]
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
    """A job in the graph: its row (from the top), column (from the left) and the rows of its parents."""

    job: Json
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
        """Tone of the state: good, bad, warn, or plain while it runs or waits."""
        return TONES.get(self.job["state"], "plain")


def graph(jobs: Sequence[Json], parents: Mapping[str, Sequence[str]]) -> list[Node]:
    """Lay out the jobs: each below those it waits for, one column further right.

    >>> jobs = [{"id": "b", "task": "fit"}, {"id": "a", "task": "sum"}]
    >>> [(node.job["id"], node.column, node.parents) for node in graph(jobs, {"b": ["a"]})]
    [('a', 0, ()), ('b', 1, (0,))]
    """
    known = {job["id"]: job for job in jobs}
    above = {
        job_id: list(dict.fromkeys(parent for parent in parents.get(job_id, ()) if parent in known))
        for job_id in known
    }
    columns = _columns(above)
    ranked = sorted(
        known,
        key=lambda job_id: (columns[job_id], str(known[job_id]["task"]), known[job_id].get("probe", "")),
    )
    order = _order(ranked, above, columns)
    rows = {job_id: row for row, job_id in enumerate(order)}
    return [
        Node(known[job_id], row, columns[job_id], tuple(sorted(rows[parent] for parent in above[job_id])))
        for job_id, row in rows.items()
    ]


def _columns(above: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Length of the longest path before each job; a parent that waits for its own child does not count."""
    columns: dict[str, int] = {}
    for start in above:
        path = {} if start in columns else {start: iter(above[start])}
        while path:
            job_id, further = next(reversed(path.items()))
            parent = next((each for each in further if each not in columns and each not in path), None)
            if parent is not None:
                path[parent] = iter(above[parent])
                continue
            del path[job_id]
            before = [columns[each] for each in above[job_id] if each in columns]
            columns[job_id] = max(before, default=-1) + 1
    return columns


def _order(
    ranked: Sequence[str], above: Mapping[str, Sequence[str]], columns: Mapping[str, int]
) -> dict[str, None]:
    """Each job below those it waits for, and directly below the last of them where that can be."""
    below: dict[str, list[str]] = {job_id: [] for job_id in ranked}
    missing = dict.fromkeys(ranked, 0)
    for job_id in ranked:
        for parent in above[job_id]:
            if columns[parent] < columns[job_id]:
                below[parent].append(job_id)
                missing[job_id] += 1
    order: dict[str, None] = {}
    for first in ranked:
        next_ones = [first]
        while next_ones:
            job_id = next_ones.pop()
            if job_id in order or missing[job_id]:
                continue
            order[job_id] = None
            for child in below[job_id]:
                missing[child] -= 1
            next_ones += reversed(below[job_id])
    return order


def summary(jobs: Sequence[Json]) -> str:
    """Progress of a session's jobs.

    >>> summary([{"state": "Complete"}, {"state": "Started"}, {"state": "Errored"}])
    '2 of 3 jobs are over; 1 failed.'
    """
    over = sum(job["state"] in OVER for job in jobs)
    failed = sum(job["state"] == "Errored" for job in jobs)
    text = (
        f"{over} of {len(jobs)} job{'' if len(jobs) == 1 else 's'} {'is' if len(jobs) == 1 else 'are'} over"
    )
    return f"{text}; {failed} failed." if failed else f"{text}."


@dataclass(frozen=True)
class Shown:
    """The jobs of a session as shown on its page. `mark` is a digest of what is visible."""

    nodes: list[Node]
    summary: str
    live: bool
    mark: str


async def jobs_of(viewer: Viewer, session_id: str) -> PagePart:
    """The jobs of a session and their parents."""
    query = {"session": session_id, "limit": 1000}
    jobs, tasks = await viewer.parts(("/jobs", query), ("/tasks", query))
    if jobs.missing:
        return jobs
    parents = {task["id"]: task["parents"] for task in tasks.rows}
    nodes = await asyncio.to_thread(graph, jobs.rows, parents)
    shown = [[node.job[name] for name in ("id", "state", "why", "attempts", "worker")] for node in nodes]
    mark = hashlib.sha256(orjson.dumps(shown)).hexdigest()[:12]
    live = any(node.job["state"] not in OVER for node in nodes)
    return PagePart(Shown(nodes, summary([node.job for node in nodes]), live, mark))


@router.get("/app/sessions/{session_id}/jobs")
async def refresh_jobs(request: Request, session_id: UUID, viewer: Viewing, mark: str = "") -> Response:
    """Refresh the jobs of a session page; 204 if `mark` is still current."""
    jobs = await jobs_of(viewer, str(session_id))
    if jobs.value and jobs.value.mark == mark:
        return Response(status_code=204, headers=GUARDS)
    return await show(request, "jobs.html", viewer, session_id=session_id, jobs=jobs)


@router.get("/app/jobs/{job_id}")
async def job(request: Request, job_id: UUID, viewer: Viewing) -> Response:
    """One job: its state with the reason, attempts and log."""
    job = await viewer.get(f"/jobs/{job_id}")
    log = await viewer.part(f"/jobs/{job_id}/log")
    return await show(
        request,
        "job.html",
        viewer,
        job=job,
        name=job_name(job),
        tone=TONES.get(job["state"], "plain"),
        log=log,
        after=_last(log),
        live=job["state"] not in OVER,
    )


@router.get("/app/jobs/{job_id}/log")
async def log_after(request: Request, job_id: UUID, viewer: Viewing, after: int = 0) -> Response:
    """Log pieces after an id, for a page that follows the log; 204 if there are none yet."""
    job = await viewer.get(f"/jobs/{job_id}")
    log = PagePart(await viewer.get(f"/jobs/{job_id}/log", after=after))
    live = job["state"] not in OVER
    if live and not log.value:
        return Response(status_code=204, headers=GUARDS)
    return await show(request, "log.html", viewer, job=job, log=log, after=_last(log) or after, live=live)


def _last(log: PagePart) -> int:
    return int(log.value[-1]["id"]) if log.value else 0
