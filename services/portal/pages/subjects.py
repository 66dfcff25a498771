"""The list of animals, and the page of one."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.pages import figures
from services.portal.pages.lists import Asked
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.standing import (
    WORDS,
    NotADay,
    Period,
    day_asked,
    first_shown,
    newest_day,
    period,
    standing,
)
from services.portal.pages.viewer import Part, Viewer, Viewing

router = APIRouter()
FILTERS = ("nickname", "lab", "project", "alive", "water_restricted")


@router.get("/app/subjects")
async def subjects(request: Request, viewer: Viewing) -> Response:
    """Animals by nickname, by whatever the form asks for."""
    asked = Asked.of(request, FILTERS)
    answer, (labs, projects) = await asyncio.gather(
        viewer.get("/subjects", **asked.filters, limit=asked.limit, offset=asked.offset or None),
        viewer.parts(("/labs", {"limit": 1000}), ("/projects", {"limit": 1000})),
    )
    return await show(
        request,
        "subjects.html",
        viewer,
        asked=asked,
        subjects=answer["results"],
        place=asked.paged(answer),
        labs=labs.names,
        projects=projects.names,
    )


@router.get("/app/subjects/{nickname}")
async def subject(request: Request, nickname: str, viewer: Viewing) -> Response:
    """One animal: who it is, how it stands, its weights and water, its sessions."""
    mine = {"subject": nickname}
    animal, (restrictions, surgeries, sessions) = await asyncio.gather(
        viewer.get(f"/subjects/{quote(nickname, safe='')}"),
        viewer.parts(
            ("/water-restriction", mine | {"limit": 1000}),
            ("/surgeries", mine | {"limit": 1000}),
            ("/sessions", mine | {"limit": 25}),
        ),
    )
    today, problem = datetime.now(UTC).date(), ""
    newest = newest_day([*animal["weighings"], *animal["water_administrations"]])
    oldest = first_shown([*animal["weighings"], *animal["water_administrations"]], newest)
    given = request.query_params
    try:
        asked = [day_asked(given.get(name, "")) for name in ("from", "to")]
    except NotADay as error:
        asked, problem = [None, None], str(error)
    shown = period(asked[0] or oldest, asked[1], newest, today)
    path = f"/water-requirement/{quote(animal['nickname'], safe='')}"
    days = await viewer.part(path, start_date=shown.first, end_date=shown.last)
    records = days.value["records"] if days.value else []
    now = standing(
        records[-1] if records else None, newest_day(animal["weighings"]), today, alive=animal["alive"]
    )
    return await show(
        request,
        "subject.html",
        viewer,
        status=400 if problem else 200,
        animal=animal,
        now=now,
        words=WORDS,
        shown=shown,
        problem=problem,
        days=days,
        records=list(reversed(records)),
        pictures=await _pictures(animal, shown, days, restrictions, surgeries),
        restrictions=restrictions,
        sessions=sessions,
        code=_code(viewer, nickname),
    )


async def _pictures(
    animal: dict[str, Any], shown: Period, days: Part, restrictions: Part, surgeries: Part
) -> Part:
    if days.missing:
        return Part(missing=days.missing)

    def within(row: dict[str, Any]) -> bool:
        return shown.first <= date.fromisoformat(row["date_time"][:10]) <= shown.last

    told = {"nickname": animal["nickname"], "days": days.value["records"]}
    weights = {
        "weighings": [
            {"date_time": row["date_time"], "weight": row["weight"]}
            for row in animal["weighings"]
            if within(row)
        ],
        "restrictions": [
            {name: row[name] for name in ("start_time", "end_time")} for row in restrictions.rows
        ],
        "implants": [
            {name: row[name] for name in ("start_time", "implant_weight")}
            for row in surgeries.rows
            if row["implant_weight"] and row["start_time"]
        ],
    }
    fields = ("date_time", "water_administered", "session", "water_type")
    waters = [{name: row[name] for name in fields} for row in animal["water_administrations"] if within(row)]
    return Part(
        await asyncio.gather(
            figures.drawn(figures.weight, {**told, **weights}),
            figures.drawn(figures.water, {**told, "water": waters}),
        )
    )


def _code(viewer: Viewer, nickname: str) -> str:
    return client_code(
        viewer.origin,
        viewer.username,
        f"mouse = one.alyx.rest('subjects', 'read', id={nickname!r})",
        "mouse['weighings'], mouse['water_administrations']",
        f"eids = one.search(subject={nickname!r})",
    )
