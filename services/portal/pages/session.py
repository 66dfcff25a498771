"""The page of one session: its files and where they are proved to be, its jobs, what its trials show."""

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
from services.portal.pages.jobs import jobs_of
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.viewer import Part, Refused, Viewer, Viewing, refusal
from services.portal.pages.words import own_address

router = APIRouter()
Told = Mapping[str, Any]
FIT: Final = "_cingulum_psychometric.fit.json"
SUMMARY: Final = "_cingulum_behaviour.summary.json"
LARGEST_JSON: Final = 4_000_000  # bytes; the tasks write some kilobytes
TONES: Final = {"verified": "good", "suspect": "bad", "lost": "bad", "claimed": "warn"}
MEANING: Final = {
    "claimed": "said to be there; nobody can prove it",
    "expected": "to come, or to be proved",
    "arriving": "some parts are here",
    "landed": "all bytes are here, the proof is being written",
    "verified": "every byte was read, and agrees",
    "suspect": "a proof failed, or is too old",
    "lost": "not there",
    "retiring": "to be removed",
}


@router.get("/app/sessions/{session_id}")
async def session(request: Request, session_id: UUID, viewer: Viewing) -> Response:
    """One session."""
    asked = {"session": session_id, "limit": 1000}
    found, (datasets, copies), jobs = await asyncio.gather(
        viewer.get(f"/sessions/{session_id}"),
        viewer.parts(("/datasets", asked), ("/copies", asked)),
        jobs_of(viewer, str(session_id)),
    )
    summary, fit = await asyncio.gather(
        content_of(viewer, datasets.rows, SUMMARY, Summary),
        content_of(viewer, datasets.rows, FIT, Psychometric),
    )
    return await show(
        request,
        "session.html",
        viewer,
        session=found,
        session_id=session_id,
        datasets=datasets,
        collections=by_collection(datasets.rows),
        copies=copies,
        copies_of=by_dataset(copies.rows),
        meaning=MEANING,
        tones=TONES,
        jobs=jobs,
        summary=summary,
        pictures=await _pictures(found["subject"], summary, fit),
        code=_code(viewer, found, datasets.rows),
    )


def by_collection(datasets: Sequence[Told]) -> dict[str, list[Told]]:
    """Datasets by their folder, both in order of name.

    >>> list(by_collection([{"collection": "raw", "name": "b"}, {"collection": None, "name": "a"}]))
    ['', 'raw']
    """
    found: dict[str, list[Told]] = defaultdict(list)
    for dataset in sorted(datasets, key=lambda one: (one["collection"] or "", one["name"])):
        found[dataset["collection"] or ""].append(dataset)
    return dict(found)


def by_dataset(copies: Sequence[Told]) -> dict[str, list[Told]]:
    """Copies of current versions by their dataset."""
    found: dict[str, list[Told]] = defaultdict(list)
    for copy in sorted(copies, key=lambda one: one["repository"]):
        if copy["is_current"]:
            found[copy["dataset_id"]].append(copy)
    return found


async def content_of(viewer: Viewer, datasets: Sequence[Told], name: str, written: type[BaseModel]) -> Part:
    """What is in a small JSON dataset, read from our own data server; nothing where the session has none."""
    named = [one for one in datasets if one["name"] == name]
    chosen = max(named, key=lambda one: (one["default_dataset"], one["revision"] or ""), default=None)
    if chosen is None:
        return Part()
    address = own_address(chosen, viewer.origin)
    if not address:
        return Part(missing=f"{name} is registered, but no proved copy lies on this server yet.")
    if (chosen["file_size"] or 0) > LARGEST_JSON:
        return Part(missing=f"{name} is too large to be what the task writes.")
    try:
        answer = await viewer.bytes_of(address)
        if answer.status != 200:
            raise refusal(answer)
        return Part(written.model_validate_json(answer.content))
    except Refused as refused:
        return Part(missing=refused.text)
    except ValidationError:
        return Part(missing=f"{name} is not as the task writes it.")


async def _pictures(subject: str, summary: Part, fit: Part) -> list[Part]:
    """The figures that the session's numbers allow."""
    wanted: list[tuple[Any, Any]] = []
    curves: Psychometric = fit.value or Psychometric()
    for title, shown in (("all trials", [curves.all]), ("by block", curves.by_block)):
        if told := [curve.model_dump() for curve in shown or () if curve is not None]:
            wanted.append((figures.psychometric, {"title": f"{subject}: choices, {title}", "curves": told}))
    if summary.value and summary.value.chronometry:
        chronometry = summary.value.chronometry.model_dump()
        wanted.append(
            (figures.reaction_times, {"title": f"{subject}: reaction times", "chronometry": chronometry})
        )
    missing = [Part(missing=part.missing) for part in (summary, fit) if part.missing]
    return missing + list(await asyncio.gather(*(_picture(draw, told) for draw, told in wanted)))


async def _picture(draw: Any, told: Told) -> Part:
    try:
        picture: Markup = await figures.drawn(draw, told)
    except (ArithmeticError, LookupError, TypeError, ValueError):
        # Lists of different lengths, or numbers of which no axis can be made.
        return Part(missing=f"The numbers behind '{told['title']}' are not as the task writes them.")
    return Part(picture)


def _code(viewer: Viewer, session: Told, datasets: Sequence[Told]) -> str:
    lines = [
        f"eid = {session['id']!r}  # {session['subject']}, {session['start_time'][:10]}",
        "one.list_datasets(eid)",
    ]
    folder = next((one["collection"] for one in datasets if one["dataset_type"] == "trials.table"), None)
    if folder:
        lines.append(f"trials = one.load_object(eid, 'trials', collection={folder!r})")
    return client_code(viewer.origin, viewer.username, *lines)
