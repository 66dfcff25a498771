"""Query parameters of a route: the caller learns of each that has no effect.

Alyx ignores parameters that it does not know, and its clients rely on that. On its routes the response names them in a
header; our own routes refuse them, and so does every route when the request has the header `Cingulum-Strict: 1`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
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
from libs.common.schemas.unknown_fields import UnknownFields

NOTICE: Final = "Alyx-API-Notice"
STRICT: Final = "Cingulum-Strict"
MOST_NAMES: Final = 10  # in a notice
LONGEST_NAME: Final = 50
_UNKNOWN: Final = "Unknown query parameter."
_NO_DRY_RUN: Final = "This request has no dry run (`dry_run`); nothing was changed."
_MISSPELLED: Final = "Unknown query parameter. Nothing was changed: a dry run is `dry_run=1`."
_NEAR: Final = 0.66  # so that `dry` and `run` are near, too
_INVALID: Final = "Invalid value."
_REPEATED: Final = "Sent more than once, with different values."
# Clients send them to every list, also to those without pages.
_OF_PAGES: Final = frozenset({"limit", "offset"})


@dataclass(frozen=True, eq=False)
class QueryParameters:
    """What a route reads of the query.

    declared   name → the value types' metadata that decides which values are ignored
    is_own     the route is not one of Alyx's
    """

    declared: Mapping[str, tuple[Ignorable, ...]]
    is_own: bool

    def check(self, request: Request) -> list[str]:
        """The parameters that have no effect, as a header names them. Raises BadRequest where they are refused."""
        query = request.query_params
        unknown = [name for name in query if name not in self.declared]
        invalid = [name for name in query if self._ignores(name, query.getlist(name)[-1])]
        repeated = [name for name in query if len({*query.getlist(name)}) > 1 and name in self.declared]
        if request.method not in SAFE:  # to ignore it would not be harmless
            self._refuse_dry_run(unknown)
            if repeated:
                raise BadRequest(fields={name: [_REPEATED] for name in repeated})
        strict = is_strict(request)
        of_own = [name for name in unknown if name not in _OF_PAGES] if self.is_own else []
        refused = dict.fromkeys(unknown if strict else of_own, _UNKNOWN)
        if strict:
            refused |= dict.fromkeys(invalid, _INVALID) | dict.fromkeys(repeated, _REPEATED)
        if refused:
            named = list(refused.items())[:MOST_NAMES]
            raise BadRequest(fields={name[:LONGEST_NAME]: [reason] for name, reason in named})
        return [*map(_quoted, unknown), *invalid, *(f"earlier values of {name}" for name in repeated)]

    def _refuse_dry_run(self, unknown: Iterable[str]) -> None:
        """Refuse a parameter that may be meant to keep a request from changing anything. Raises BadRequest."""
        for name in unknown:
            if name == "dry_run" or is_like_dry_run(name):
                has_one = "dry_run" in self.declared
                text = _MISSPELLED if has_one else _NO_DRY_RUN
                raise BadRequest(fields={name[:LONGEST_NAME]: [text]})

    def _ignores(self, name: str, value: str) -> bool:
        return bool(value) and any(kind.ignores(value) for kind in self.declared.get(name, ()))


def query_parameters(route: APIRoute) -> QueryParameters:
    """The query parameters that a route and its dependencies declare."""
    declared = dict(_declared(route.dependant))
    if model := getattr(route.endpoint, "__query_model__", None):
        declared |= dict(_declared_in(model))
    return QueryParameters(declared, is_own=not is_alyx_path(route.path))


def is_strict(request: Request) -> bool:
    """Whether a request is refused for what has no effect."""
    return request.headers.get(STRICT, "").strip() in {"1", "true"}


def is_like_dry_run(name: str) -> bool:
    """Whether a name is a spelling of `dry_run`, or nearly one.

    >>> [is_like_dry_run(name) for name in ("dryrun", "Dry-Run", "dry", "dru_run", "user", "run_name")]
    [True, True, True, True, False, False]
    """
    letters = "".join(char for char in name[:LONGEST_NAME].lower() if char.isalpha())
    return bool(get_close_matches(letters, ["dryrun"], n=1, cutoff=_NEAR))


def _declared(dependant: Dependant) -> Iterator[tuple[str, tuple[Ignorable, ...]]]:
    for field in dependant.query_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from _declared_in(model)
        else:
            yield field.alias, _ignorable(field.field_info)
    for inner in dependant.dependencies:
        yield from _declared(inner)


def _declared_in(model: type[BaseModel]) -> Iterator[tuple[str, tuple[Ignorable, ...]]]:
    for name, own in model.model_fields.items():
        yield own.alias or name, _ignorable(own)


def _ignorable(field: FieldInfo | Any) -> tuple[Ignorable, ...]:
    return tuple(metadata for metadata in field.metadata if isinstance(metadata, Ignorable))


def _quoted(name: str) -> str:
    """A name that a caller made up, percent-encoded: a header holds neither other scripts nor line breaks."""
    return quote(name[:LONGEST_NAME], safe="", errors="replace")


def add_notice(response: Response, ignored: list[str], what: str = "ignored") -> Response:
    """The response, with a header that names what was ignored: query parameters, or as `what` states."""
    if ignored:
        shown = ", ".join(ignored[:MOST_NAMES])
        more = f" and {len(ignored) - MOST_NAMES} more" if len(ignored) > MOST_NAMES else ""
        own = response.headers.get(NOTICE)
        notice = f"{what}: {shown}{more}"
        response.headers[NOTICE] = f"{own}; {notice}" if own else notice
    return response


def add_field_notice(response: Response, fields: UnknownFields, ignored: list[str]) -> Response:
    """The same for the fields of a body that have no effect; a query that is read as a body has named them."""
    names = [name for name in map(_quoted, fields.names) if name not in ignored]
    return add_notice(response, names, "ignored fields")
