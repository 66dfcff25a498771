"""The page of one session: datasets with their copies, jobs, and figures of the trials."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from fastapi import APIRouter, Request
from markupsafe import Markup
from pydantic import BaseModel, ValidationError
from starlette.responses import Response

from services.portal.pages import figures
from services.portal.pages.analyses import Psychometric, Summary
from services.portal.pages.formatting import own_address
from services.portal.pages.jobs import jobs_of
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.viewer import ApiRefused, PagePart, Viewer, Viewing, refusal

router = APIRouter(include_in_schema=False)
Json = Mapping[str, Any]
FIT: Final = "_cingulum_psychometric.fit.json"
SUMMARY: Final = "_cingulum_behaviour.summary.json"
LARGEST_JSON: Final = 4_000_000  # bytes; the tasks write some kilobytes
LONGEST_NAME: Final = 500  # of a dataset, as /why-not accepts it
TONES: Final = {"verified": "good", "suspect": "bad", "lost": "bad", "claimed": "warn"}
STATE_MEANINGS: Final = {
    "claimed": "reported by a client; cannot be verified",
    "expected": "to be transferred or verified",
    "arriving": "some parts received",
    "landed": "all bytes received, being verified",
    "verified": "all bytes were read and the hash matches",
    "suspect": "verification failed or is too old",
    "lost": "missing",
    "retiring": "to be removed",
}


@router.get("/app/sessions/{session_id}")
async def session_page(request: Request, session_id: UUID, viewer: Viewing) -> Response:
    """One session."""
    params = {"session": session_id, "limit": 1000}
    session, (datasets, copies), jobs = await asyncio.gather(
        viewer.get(f"/sessions/{session_id}"),
        viewer.parts(("/datasets", params), ("/copies", params)),
        jobs_of(viewer, str(session_id)),
    )
    name = request.query_params.get("why", "").strip()[:LONGEST_NAME]
    summary, fit, same, why = await asyncio.gather(
        content_of(viewer, datasets.rows, SUMMARY, Summary),
        content_of(viewer, datasets.rows, FIT, Psychometric),
        twins_of(viewer, session),
        viewer.part("/why-not", session=session_id, dataset=name) if name else _nothing(),
    )
    return await show(
        request,
        "session.html",
        viewer,
        session=session,
        session_id=session_id,
        same=same,
        datasets=datasets,
        collections=by_collection(datasets.rows),
        copies=copies,
        copies_of=by_dataset(copies.rows),
        meanings=STATE_MEANINGS,
        tones=TONES,
        jobs=jobs,
        why_name=name,
        why=why,
        summary=summary,
        pictures=await _pictures(session["subject"], summary, fit),
        code=_code(viewer, session, datasets.rows),
    )


async def _nothing() -> PagePart:
    return PagePart()


async def twins_of(viewer: Viewer, session: Json) -> list[Json]:
    """The other sessions of the subject with the day and number of this one."""
    if session["number"] is None:
        return []
    day = session["start_time"][:10]
    params = {
        "lab": session["lab"],
        "subject": session["subject"],
        "number": session["number"],
        "date_range": f"{day},{day}",
    }
    part = await viewer.part("/sessions", **params)
    return [other for other in part.rows if other["id"] != session["id"]]


def by_collection(datasets: Sequence[Json]) -> dict[str, list[Json]]:
    """Group datasets by collection, both sorted by name.

    >>> list(by_collection([{"collection": "raw", "name": "b"}, {"collection": None, "name": "a"}]))
    ['', 'raw']
    """
    groups: dict[str, list[Json]] = defaultdict(list)
    for dataset in sorted(datasets, key=lambda dataset: (dataset["collection"] or "", dataset["name"])):
        groups[dataset["collection"] or ""].append(dataset)
    return dict(groups)


def by_dataset(copies: Sequence[Json]) -> dict[str, list[Json]]:
    """Group the copies of current versions by dataset."""
    groups: dict[str, list[Json]] = defaultdict(list)
    for copy in sorted(copies, key=lambda copy: copy["repository"]):
        if copy["is_current"]:
            groups[copy["dataset_id"]].append(copy)
    return groups


async def content_of(
    viewer: Viewer, datasets: Sequence[Json], name: str, written: type[BaseModel]
) -> PagePart:
    """Content of a small JSON dataset, read from our own data server; empty if the session has none."""
    named = [dataset for dataset in datasets if dataset["name"] == name]
    chosen = max(
        named, key=lambda dataset: (dataset["default_dataset"], dataset["revision"] or ""), default=None
    )
    if chosen is None:
        return PagePart()
    address = own_address(chosen, viewer.origin)
    if not address:
        return PagePart(missing=f"{name} is registered, but this server has no verified copy yet.")
    if (chosen["file_size"] or 0) > LARGEST_JSON:
        return PagePart(missing=f"{name} is larger than any file the task writes.")
    try:
        answer = await viewer.bytes_of(address)
        if answer.status != 200:
            raise refusal(answer)
        return PagePart(written.model_validate_json(answer.content))
    except ApiRefused as refused:
        return PagePart(missing=refused.text)
    except ValidationError:
        return PagePart(missing=f"{name} does not have the format that the task writes.")


async def _pictures(subject: str, summary: PagePart, fit: PagePart) -> list[PagePart]:
    """Figures for which the session has data."""
    drawings: list[tuple[Any, Any]] = []
    curves: Psychometric = fit.value or Psychometric()
    for title, shown in (("all trials", [curves.all]), ("by block", curves.by_block)):
        if values := [curve.model_dump() for curve in shown or () if curve is not None]:
            drawings.append(
                (figures.psychometric, {"title": f"{subject}: choices, {title}", "curves": values})
            )
    if summary.value and summary.value.chronometry:
        chronometry = summary.value.chronometry.model_dump()
        drawings.append(
            (figures.reaction_times, {"title": f"{subject}: reaction times", "chronometry": chronometry})
        )
    missing = [PagePart(missing=part.missing) for part in (summary, fit) if part.missing]
    return missing + list(await asyncio.gather(*(_picture(draw, values) for draw, values in drawings)))


async def _picture(draw: Any, values: Json) -> PagePart:
    try:
        picture: Markup = await figures.drawn(draw, values)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # Lists of different lengths, or values that give no axis.
        return PagePart(
            missing=f"The data of '{values['title']}' do not have the format that the task writes."
        )
    return PagePart(picture)


def _code(viewer: Viewer, session: Json, datasets: Sequence[Json]) -> str:
    lines = [
        f"eid = {session['id']!r}  # {session['subject']}, {session['start_time'][:10]}",
        "one.list_datasets(eid)",
    ]
    folder = next(
        (dataset["collection"] for dataset in datasets if dataset["dataset_type"] == "trials.table"), None
    )
    if folder:
        lines.append(f"trials = one.load_object(eid, 'trials', collection={folder!r})")
    return client_code(viewer.origin, viewer.username, *lines)
