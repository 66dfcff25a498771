"""What a DELETE accepts and answers: `?dry_run=1`, `Prefer: return=representation`, and the address of its undo."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Query
from starlette.responses import JSONResponse, Response

from libs.common.db.dependants import sentence
from libs.common.db.query_parameters import NOTICE
from libs.common.schemas.deletions import UNDO_DAYS, Deletion

DELETED: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "model": Deletion,
        "description": "What it would take, with `dry_run`; what it took, with `Prefer: return=representation`.",
    }
}


@dataclass(frozen=True)
class DeletionOptions:
    """How a caller wants to delete."""

    dry_run: bool
    wants_body: bool


async def deletion_options(
    dry_run: Annotated[bool, Query(description="Only count what would be deleted.")] = False,
    prefer: Annotated[str, Header(include_in_schema=False)] = "",
) -> DeletionOptions:
    """The options of a request."""
    return DeletionOptions(dry_run, wants_body=prefers_representation(prefer))


Deleting = Annotated[DeletionOptions, Depends(deletion_options)]


def prefers_representation(prefer: str) -> bool:
    """Whether a `Prefer` header requests a body.

    >>> prefers_representation("respond-async, return=representation"), prefers_representation("return=minimal")
    (True, False)
    """
    return any(
        part.strip().lower() == "return=representation" for part in prefer.replace(";", ",").split(",")
    )


def deleted(options: DeletionOptions, deletion: Deletion) -> Response:
    """The response: 204 as Alyx's, with headers that say what went; 200 with a body for a dry run or on request."""
    body = deletion.model_dump(mode="json")
    if deletion.is_dry_run:
        return JSONResponse(body, headers={NOTICE: notice(deletion)})
    headers = {NOTICE: notice(deletion)}
    if deletion.undo is not None:
        headers |= {"Location": deletion.undo, "Link": f'<{deletion.undo}>; rel="undo"'}
    if options.wants_body:
        return JSONResponse(body, headers=headers | {"Preference-Applied": "return=representation"})
    return Response(status_code=204, headers=headers)


def notice(deletion: Deletion) -> str:
    """What a deletion took, and how to undo it, in a sentence.

    >>> notice(Deletion.done("metadata", 7, {"session": 1}, {"dataset": 2}))
    'Deleted 1 session; 2 datasets are hidden with it. POST /undo/metadata/7 restores it within 30 days.'
    >>> notice(Deletion.preview({"weighing": 1}, {}))
    'Would delete 1 weighing. Nothing was changed.'
    """
    verb = "Would delete" if deletion.is_dry_run else "Deleted"
    n_hidden = sum(deletion.hidden.values())
    be = "is" if n_hidden == 1 else "are"
    if deletion.is_dry_run:
        be = "would be"
    also = f"; {sentence(deletion.hidden)} {be} hidden with it" if n_hidden else ""
    undo = "" if deletion.undo is None else f" POST {deletion.undo} restores it within {UNDO_DAYS} days."
    after = " Nothing was changed." if deletion.is_dry_run else undo
    return f"{verb} {sentence(deletion.removed)}{also}.{after}"
