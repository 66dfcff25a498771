"""Query parameters of a route: the caller learns of each that has no effect.

Alyx ignores parameters that it does not know, and its clients rely on that. On its routes the response names them in a
header; our own routes refuse them, and so does every route when the request has the header `Cingulum-Strict: 1`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from libs.common.catalogue import is_alyx_path
from libs.common.http import SAFE
from libs.common.problem import BadRequest
from libs.common.schemas.ignorable import Ignorable

NOTICE: Final = "Alyx-API-Notice"
STRICT: Final = "Cingulum-Strict"
MOST_NAMES: Final = 10  # in a notice
LONGEST_NAME: Final = 50
_UNKNOWN: Final = "Unknown query parameter."
_NO_DRY_RUN: Final = "This request has no dry run; nothing was changed."
_INVALID: Final = "Invalid value."
_REPEATED: Final = "Sent more than once, with different values."
# Clients send them to every list, also to those without pages.
_OF_PAGES: Final = frozenset({"limit", "offset"})


@dataclass(frozen=True, eq=False)
class QueryParameters:
    """What a route reads of the query.

    declared   name → the value types' metadata that decides which values are ignored
    is_whole   all parameters are declared; otherwise the route reads the query itself
    is_own     the route is not one of Alyx's
    """

    declared: Mapping[str, tuple[Ignorable, ...]]
    is_whole: bool
    is_own: bool

    def check(self, request: Request) -> list[str]:
        """The parameters that have no effect, as a header names them. Raises BadRequest where they are refused."""
        if not self.is_whole:
            return []
        query = request.query_params
        unknown = [name for name in query if name not in self.declared]
        invalid = [name for name in query if self._ignores(name, query.getlist(name)[-1])]
        repeated = [name for name in query if len({*query.getlist(name)}) > 1 and name in self.declared]
        if request.method not in SAFE:  # to ignore it would not be harmless
            if "dry_run" in unknown:
                raise BadRequest(fields={"dry_run": [_NO_DRY_RUN]})
            if repeated:
                raise BadRequest(fields={name: [_REPEATED] for name in repeated})
        is_strict = request.headers.get(STRICT, "").strip() in {"1", "true"}
        of_own = [name for name in unknown if name not in _OF_PAGES] if self.is_own else []
        refused = dict.fromkeys(unknown if is_strict else of_own, _UNKNOWN)
        if is_strict:
            refused |= dict.fromkeys(invalid, _INVALID) | dict.fromkeys(repeated, _REPEATED)
        if refused:
            named = list(refused.items())[:MOST_NAMES]
            raise BadRequest(fields={name[:LONGEST_NAME]: [reason] for name, reason in named})
        return [*map(_quoted, unknown), *invalid, *(f"earlier values of {name}" for name in repeated)]

    def _ignores(self, name: str, value: str) -> bool:
        return bool(value) and any(kind.ignores(value) for kind in self.declared.get(name, ()))


def query_parameters(route: APIRoute) -> QueryParameters:
    """The query parameters that a route and its dependencies declare."""
    reads_itself = getattr(route.endpoint, "__reads_query_itself__", False)
    return QueryParameters(
        dict(_declared(route.dependant)), not reads_itself, is_own=not is_alyx_path(route.path)
    )


def _declared(dependant: Dependant) -> Iterator[tuple[str, tuple[Ignorable, ...]]]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            for name, own in model.model_fields.items():
                yield own.alias or name, _ignorable(own)
        else:
            yield field.alias, _ignorable(field.field_info)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _ignorable(field: FieldInfo | Any) -> tuple[Ignorable, ...]:
    return tuple(metadata for metadata in field.metadata if isinstance(metadata, Ignorable))


def _quoted(name: str) -> str:
    """A name that a caller made up, percent-encoded: a header holds neither other scripts nor line breaks."""
    return quote(name[:LONGEST_NAME], safe="", errors="replace")


def add_notice(response: Response, ignored: list[str]) -> Response:
    """The response, with a header that names the ignored query parameters."""
    if ignored:
        shown = ", ".join(ignored[:MOST_NAMES])
        more = f" and {len(ignored) - MOST_NAMES} more" if len(ignored) > MOST_NAMES else ""
        own = response.headers.get(NOTICE)
        response.headers[NOTICE] = f"{own}; ignored: {shown}{more}" if own else f"ignored: {shown}{more}"
    return response
