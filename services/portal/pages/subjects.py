"""The list of subjects, and the page of one subject."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import Response

from libs.common.problem import AmbiguousName
from libs.common.schemas.ids import find_uuid
from services.portal.pages import figures
from services.portal.pages.lists import ListQuery
from services.portal.pages.rendering import show
from services.portal.pages.snippets import client_code
from services.portal.pages.viewer import ApiRefused, PagePart, Viewer, Viewing
from services.portal.pages.welfare_status import (
    LABELS,
    InvalidDay,
    Period,
    first_shown,
    newest_day,
    parse_day,
    period,
    welfare_status,
)

router = APIRouter(include_in_schema=False)
FILTERS = ("nickname", "lab", "project", "alive", "water_restricted")


@router.get("/app/subjects")
async def subjects(request: Request, viewer: Viewing) -> Response:
    """Subjects that match the form, by nickname."""
    query = ListQuery.of(request, FILTERS)
    answer, (labs, projects) = await asyncio.gather(
        viewer.get("/subjects", **query.filters, limit=query.limit, offset=query.offset or None),
        viewer.parts(("/labs", {"limit": 1000}), ("/projects", {"limit": 1000})),
    )
    return await show(
        request,
        "subjects.html",
        viewer,
        query=query,
        subjects=answer["results"],
        place=query.paged(answer),
        labs=labs.names,
        projects=projects.names,
    )


@router.get("/app/subjects/{nickname}")
async def subject(request: Request, nickname: str, viewer: Viewing) -> Response:
    """One subject, by nickname or id: facts, welfare status, weights and water, sessions."""
    try:
        return await _page(request, nickname, viewer)
    except ApiRefused as refused:
        if refused.slug != AmbiguousName.slug:
            raise
        namesakes = refused.fields["subjects"]
    return await show(request, "namesakes.html", viewer, status=300, nickname=nickname, subjects=namesakes)


async def _page(request: Request, nickname: str, viewer: Viewer) -> Response:
    is_id = find_uuid(nickname) is not None
    of_subject = {"django": f"subject__id,{nickname}"} if is_id else {"subject": nickname}
    animal, (restrictions, surgeries, sessions) = await asyncio.gather(
        viewer.get(f"/subjects/{quote(nickname, safe='')}"),
        viewer.parts(
            ("/water-restriction", of_subject | {"limit": 1000}),
            ("/surgeries", of_subject | {"limit": 1000}),
            ("/sessions", of_subject | {"limit": 25}),
        ),
    )
    today, problem = datetime.now(UTC).date(), ""
    newest = newest_day([*animal["weighings"], *animal["water_administrations"]])
    oldest = first_shown([*animal["weighings"], *animal["water_administrations"]], newest)
    params = request.query_params
    try:
        limits = [parse_day(params.get(name, "")) for name in ("from", "to")]
    except InvalidDay as error:
        limits, problem = [None, None], str(error)
    shown = period(limits[0] or oldest, limits[1], newest, today)
    path = f"/water-requirement/{quote(nickname, safe='')}"
    days = await viewer.part(path, start_date=shown.first, end_date=shown.last)
    records = days.value["records"] if days.value else []
    welfare = welfare_status(
        records[-1] if records else None, newest_day(animal["weighings"]), today, alive=animal["alive"]
    )
    return await show(
        request,
        "subject.html",
        viewer,
        status=400 if problem else 200,
        animal=animal,
        welfare=welfare,
        labels=LABELS,
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
    animal: dict[str, Any], shown: Period, days: PagePart, restrictions: PagePart, surgeries: PagePart
) -> PagePart:
    if days.missing:
        return PagePart(missing=days.missing)

    def within(row: dict[str, Any]) -> bool:
        return shown.first <= date.fromisoformat(row["date_time"][:10]) <= shown.last

    common = {"nickname": animal["nickname"], "days": days.value["records"]}
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
    return PagePart(
        await asyncio.gather(
            figures.drawn(figures.weight, {**common, **weights}),
            figures.drawn(figures.water, {**common, "water": waters}),
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
