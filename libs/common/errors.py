"""Every error as a response in the shape of `problem.py`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import asyncpg
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import IntegrityError, StatementError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from libs.common.http import SAFE
from libs.common.observability import logger
from libs.common.problem import (
    AmbiguousName,
    BadRequest,
    Conflict,
    NotFound,
    Problem,
    QueryTooLong,
    Unavailable,
)
from libs.common.schemas.pages import absolute

MOST_ERRORS: Final = 20  # of what is wrong in a request
RETRY_AFTER_S: Final = "2"  # of every 503: our clients retry only where the response states when


def add_errors(app: FastAPI) -> None:
    """Answer every error in the one shape that callers read; never a bare 500."""
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(IntegrityError, _integrity)
    app.add_exception_handler(StatementError, _database)
    app.add_exception_handler(asyncpg.PostgresError, _database)
    app.add_exception_handler(asyncpg.InterfaceError, _database)
    app.add_exception_handler(OSError, _unavailable)
    app.add_exception_handler(sa.exc.TimeoutError, _unavailable)
    app.add_exception_handler(sa.exc.DisconnectionError, _unavailable)
    app.add_exception_handler(sa.exc.PendingRollbackError, _unavailable)
    app.add_exception_handler(HTTPException, _http)


class _ProblemResponse(JSONResponse):
    """The body may echo caller input, lone surrogates included."""

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")


def answer(problem: Problem) -> Response:
    """The response for a problem."""
    headers = dict(problem.headers)
    if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers.setdefault("Retry-After", RETRY_AFTER_S)
    return _ProblemResponse(problem.body(), problem.status, headers=headers)


async def _unavailable(_request: Request, error: Exception) -> Response:
    """A connection or a store that does not respond; each of our own OSErrors is one of these."""
    is_plain = isinstance(
        error, (TimeoutError, ConnectionError, sa.exc.TimeoutError)
    )  # one line each is enough
    logger("app").error(
        "a required service does not respond", error=repr(error), exc_info=None if is_plain else error
    )
    return answer(Unavailable())


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101 - for the type checker; Starlette dispatches by class
    return answer(error.at(absolute(request, "")) if isinstance(error, AmbiguousName) else error)


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101
    if any(_is_in_path(item["loc"]) and item["type"].endswith("_parsing") for item in error.errors()):
        return answer(NotFound("There is nothing with this id."))  # as of an id that no record has
    fields: dict[str, list[str]] = {}
    for error_item in error.errors()[:MOST_ERRORS]:
        where = [str(part) for part in error_item["loc"] if part not in {"body", "query", "path", "header"}]
        if error_item["type"] == "json_invalid":  # its location is a position in the text, not a field
            where = []
        fields.setdefault(".".join(where) or "non_field_errors", []).append(str(error_item["msg"]))
    return answer(BadRequest("Invalid request.", fields=fields))


def _is_in_path(location: tuple[int | str, ...]) -> bool:
    """Whether it is that of a parameter of the path, and not of a body's field `path`."""
    return len(location) > 1 and location[0] == "path"


async def _integrity(_request: Request, error: Exception) -> Response:
    logger("app").info("the database refused a write", error=str(getattr(error, "orig", error)))
    return answer(Conflict("This already exists, or was changed concurrently: reload and try again."))


async def _database(request: Request, error: Exception) -> Response:
    if _cannot_be_stored(error):
        logger("app").info("a value cannot be stored", error=str(getattr(error, "orig", error)))
        return answer(
            BadRequest("A value cannot be stored: NUL, NaN, a lone surrogate or too large a number.")
        )
    if (
        "57014" in _sqlstates(error) and request.method in SAFE
    ):  # query_canceled, by the time limit of its pool
        logger("app").warning("a query took too long", error=str(getattr(error, "orig", error)))
        return answer(QueryTooLong(headers={"Retry-After": "60"}))
    logger("app").error("the database failed", exc_info=error)
    if "53100" in _sqlstates(error):
        return answer(Unavailable("The disk of the database is full: writes fail until space is freed."))
    return answer(Unavailable("The database failed: try again shortly."))


def _cannot_be_stored(error: Exception) -> bool:
    """Whether a value is to blame: the driver could not encode it, or PostgreSQL refused it as data (class 22)."""
    is_value = any(isinstance(cause, ValueError) for cause in _causes(error))
    return is_value or any(state.startswith("22") for state in _sqlstates(error))


def _sqlstates(error: Exception) -> list[str]:
    return [str(getattr(cause, "sqlstate", "") or "") for cause in _causes(error)]


def _causes(error: Exception) -> Iterator[BaseException]:
    cause: BaseException | None = getattr(error, "orig", error)
    while cause is not None:
        yield cause
        cause = cause.__cause__


async def _http(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    if error.status_code == 404:
        return answer(NotFound())
    kind = type("Http", (Problem,), {"status": error.status_code, "slug": f"http-{error.status_code}"})
    return answer(kind(str(error.detail), headers=dict(error.headers or {})))
