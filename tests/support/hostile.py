"""What nobody should send: for each door of a service, addresses, headers and bodies drawn by chance from a seed.

The suite tries a fixed number with a fixed seed, so each machine tries the same. To look further by hand, give other
ones: `CINGULUM_HOSTILE_SEED=7 CINGULUM_HOSTILE_TRIES=50000 pytest tests/integration -k hostile`.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import httpx
from fastapi import APIRouter
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

SEED = int(os.environ.get("CINGULUM_HOSTILE_SEED", "20240302"))
TRIES = int(os.environ.get("CINGULUM_HOSTILE_TRIES", "0"))
TEXTS = (
    "", "\x00", "\ud800", "KS001", "None", "nan", "1e999", "9" * 5_000, "-1", "²", "٣", "%", "'; --", "a/b", "..",
    "2024-03-02", "2024-03-02,2024-03-03", "0001-01-01,9999-12-31", "9999-12-31T23:59:59.999999-14:00", "true",
    "pk__in,['a'", "pk,1,~", "start_time__year,2024", "json__a__b,1", "users__username__regex,(a", "id__in,[{}]",
    "00000000-0000-4000-8000-000000000001", "\N{MOUSE}" * 300, "weight__range,[1,", "subject__lab__name,x",
    "1", "9223372036854775808", "0-9,12", "9-0", "-", "1e308", "Infinity", "[1,2]", "a,b", "{", "\n", "#2024-01-01#",
    "alf/probe00", "spikes.times.npy", "../../etc/passwd", "//x", "*", "\\", "a" * 9_000,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    *TEXTS, None, True, 0, -1, 10**30, 2**31, 2**63, 1.5, 1e308, float("nan"), float("inf"), [], {}, ["KS001"], [None],
    [[1]], {"a": float("nan")}, {"a": "\x00"}, {"\ud800": 1}, [{"allele": "x", "zygosity": 9}], ["\x00"], ["\ud800"],
    [[]] * 3, {"": {"": []}}, "ab" * 32, "g" * 64, "a" * 70_000,
)  # fmt: skip
BODIES = (
    b"", b"{", b"null", b"[]", b'"text"', b"0", b"\xff\xfe", b"\x00", b"[" * 100_000, b'{"a":' * 50_000, b"9" * 10_000,
    b'{"a": NaN}', b'{"a": 1, "a": 2}', b'"\\ud800"', b"\n", b'{"files": []}\n', b'{"files": 3}\nabc', b"1e999999",
    b'{"files": [{"size_bytes": 1, "sha256": "x"}]}\na', b"a=b&c=%ff", b"-----x\r\n",
)  # fmt: skip
HEADERS: Mapping[str, Sequence[bytes]] = {
    "idempotency-key": (b"", b"k", b"\xff\xfe", b"x" * 201, b"a\x00b"),
    "content-type": (b"", b"text/plain", b"application/json; charset=\xff", b"multipart/form-data", b"a/b;" * 900,
                     b"multipart/form-data; boundary=x", b"application/x-www-form-urlencoded", b"application/json;;"),
    "range": (b"bytes=0-", b"bytes=5-2", b"bytes=-0", b"bytes=" + b"9" * 5_000 + b"-", b"bytes=\xb2-", b"lines=1-2",
              b"bytes=0-1,3-4", b"bytes=--1", b"bytes=99999999-"),
    "if-none-match": (b"*", b'"x"', b"\xff", b"W/", b"," * 900),
    "if-range": (b"", b"\xff", b"Sat, 01 Jan 0000 99:99:99 GMT"),
    "content-digest": (b"", b"sha-256=:AA==:", b"sha-256=:\xff:", b"sha-256=:====:", b"md5=:x:"),
    "accept": (b"", b"\xff", b"text/html;q=x", b"application/coreapi+json"),
    "x-forwarded-proto": (b"", b"\xff", b"gopher", b"http:///"),
    "x-forwarded-host": (b"", b"\xff", b"a b", b"[::1", b"x:99999999", b"@", b"\xb2"),
    "host": (b"", b"\xff", b"[::1", b"x:99999999", b"a/b?c"),
    "x-request-id": (b"", b"\xff", b"x" * 200, b"\x00"),
    "authorization": (b"", b"\xff", b"Token \xff", b"Token " + b"0" * 5_000, b"Basic \xff", b"Basic OnE=",
                      b"Basic /w==", b"Basic AAA6AAA=", b"Basic 7aCAOu2ggA==", b"Bearer", b"Digest x"),
    "cookie": (b"", b"\xff", b"cingulum_session=\xff", b"cingulum_session=a\\000b", b"cingulum_csrf=\xff", b"a=b;;=;,",
               b"cingulum_session=" + b"0" * 5_000),
    "x-csrf-token": (b"", b"\xff"),
    "x-cingulum-identity": (b"", b"\xff", b"e30.e30.e30", b"." * 900),
    "hx-request": (b"true",),
    "hx-current-url": (b"\xff", b"http://x/app/" + b"a" * 5_000, b"/app/\xb2"),
}  # fmt: skip
STRANGE_VALUE, STRANGE_BODY, STRANGE_HEADER = 0.12, 0.08, 0.15
Ask = Callable[..., Awaitable[httpx.Response]]


@dataclass(frozen=True)
class Door:
    """One method of one route: what its query may name, and its body as a JSON schema or by the names of its form."""

    method: str
    path: str
    query: tuple[str, ...] = ()
    body: Mapping[str, Any] | None = None
    form: tuple[str, ...] = ()


def doors(routers: Iterable[APIRouter], forms: Mapping[str, tuple[str, ...]] | None = None) -> list[Door]:
    """Every door of a service; `forms` names the fields of the forms that a POST to a path reads by itself."""
    return [
        Door(method, route.path, _query(route), _body(route), (forms or {}).get(route.path, ()))
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def _query(route: APIRoute) -> tuple[str, ...]:
    names = []
    for dependant in _with_inner(route.dependant):
        for parameter in dependant.query_params:
            fields = getattr(parameter.field_info.annotation, "model_fields", {})
            names += [field.alias or name for name, field in fields.items()] or [parameter.alias]
    return (*dict.fromkeys(names), "limit", "offset", "django", "colour")


def _with_inner(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for inner in dependant.dependencies:
        yield from _with_inner(inner)


def _body(route: APIRoute) -> Mapping[str, Any] | None:
    if route.body_field is None:
        return None
    kind: Any = route.body_field.field_info.annotation
    return TypeAdapter(kind).json_schema()


@dataclass
class Foe:
    """Draws requests. `good` has values that fit fields of these names, `keys` what may stand in an address.

    Fields of `always` are left out of no body: their defaults take long.
    """

    good: Mapping[str, Any]
    keys: Sequence[str]
    always: frozenset[str] = frozenset()
    source: random.Random = field(default_factory=lambda: random.Random(SEED))

    def address(self, door: Door) -> str:
        """A path with something in each of its places, perhaps with a query."""
        path = door.path
        while "{" in path:
            before, _, rest = path.partition("{")
            place = str(self.source.choice((*self.keys, *self.keys, *TEXTS)))
            name, _, after = rest.partition("}")
            safe = "/" if name.endswith(":path") else ""
            # Dots too, or the client walks them up by itself.
            path = before + quote(place, safe, errors="surrogatepass").replace("..", "%2E%2E") + after
        names = self.source.sample(door.query, min(len(door.query), self.source.randint(0, 3)))
        known = (*TEXTS, *map(str, self.good.values()), *self.keys)
        query = {name: self.source.choice(known) for name in names}
        return path + ("?" + urlencode(query, errors="surrogatepass") if query else "")

    def headers(self) -> dict[str, bytes]:
        """Seldom one or two headers that no client of ours sends."""
        if self.source.random() > STRANGE_HEADER:
            return {}
        names = self.source.sample(sorted(HEADERS), self.source.randint(1, 2))
        return {name: self.source.choice(HEADERS[name]) for name in names}

    def content(self, door: Door) -> tuple[bytes, str]:
        """A body, and what it is said to be."""
        if self.source.random() < STRANGE_BODY:
            return self.source.choice(BODIES), "application/json"
        if door.form:
            sent = {name: str(self._value(name)) for name in door.form}
            return urlencode(sent, errors="surrogatepass").encode(), "application/x-www-form-urlencoded"
        if door.body is not None:
            body = self._like(door.body, door.body.get("$defs", {}), "")
            return json.dumps(body).encode(), "application/json"
        if door.method in {"GET", "HEAD", "DELETE"}:
            return b"", "application/json"
        return self.source.choice(BODIES), "application/octet-stream"

    def _value(self, name: str) -> Any:
        if name in self.good and self.source.random() < 0.6:
            return self.good[name]
        return self.source.choice(TEXTS)

    def _like(self, schema: Mapping[str, Any], known: Mapping[str, Any], name: str) -> Any:
        """A value much like what a schema wants, with something strange in it here and there."""
        source = self.source
        if source.random() < STRANGE_VALUE:
            return source.choice(VALUES)
        if name in self.good and source.random() < 0.6:
            return self.good[name]
        schema = source.choice(schema.get("anyOf") or schema.get("oneOf") or [schema])
        if "$ref" in schema:
            return self._like(known[schema["$ref"].rpartition("/")[2]], known, name)
        if schema.get("type") == "object":
            return self._object(schema, known)
        if schema.get("type") == "array":
            return [self._like(schema.get("items", {}), known, name) for _ in range(source.randint(0, 2))]
        kind = "uuid" if schema.get("format") == "uuid" else str(schema.get("type"))
        return source.choice(schema.get("enum") or self._plain(kind))

    def _object(self, schema: Mapping[str, Any], known: Mapping[str, Any]) -> dict[str, Any]:
        expected = self.always.union(schema.get("required", ()))
        body = {
            key: self._like(schema_of_key, known, key)
            for key, schema_of_key in schema.get("properties", {}).items()
            if key in expected or self.source.random() < 0.35
        }
        return body | ({"colour": self.source.choice(VALUES)} if self.source.random() < 0.05 else {})

    def _plain(self, kind: str) -> Sequence[Any]:
        plain: Mapping[str, Sequence[Any]] = {
            "integer": (0, 1, 2, 60),
            "number": (0, 0.25, 1.5),
            "boolean": (True, False),
            "null": (None,),
            "uuid": self.keys,
        }
        return plain.get(kind, (*TEXTS, *self.keys))


def is_problem(answer: httpx.Response) -> bool:
    """Whether a refusal has the one shape that callers read."""
    try:
        problem = answer.json()
    except ValueError:
        return False
    if (
        not isinstance(problem, dict)
        or problem.get("status_code") != answer.status_code
        or not problem.get("type")
    ):
        return False
    fields = [texts for name, texts in problem.items() if name not in {"detail", "status_code", "type"}]
    return isinstance(problem.get("detail"), str) or any(isinstance(texts, list) for texts in fields)


def is_page(answer: httpx.Response) -> bool:
    """Whether a refusal is a page for people."""
    return answer.headers.get("content-type", "").startswith("text/html") and "<h1" in answer.text


def is_explained(answer: httpx.Response) -> bool:
    """Whether a refusal is either: a page, or the gateway's word before a page is asked for."""
    return is_page(answer) or is_problem(answer)


async def attack(
    ask: Ask,
    doors: Sequence[Door],
    foe: Foe,
    tries: int,
    refusal: Callable[[httpx.Response], bool] = is_problem,
) -> None:
    """Try every door in turn; nothing sent may make an internal error, and each refusal is one that callers read."""
    failed: dict[tuple[str, str, int], str] = {}
    taken = 0
    for number in range(TRIES or tries):
        door = doors[number % len(doors)]
        address, (content, kind) = foe.address(door), foe.content(door)
        headers = {"content-type": kind.encode(), **foe.headers()}
        answer = await ask(door.method, address, content=content, headers=headers)
        taken += answer.status_code < 400
        refused = answer.status_code >= 400 and door.method != "HEAD"
        if answer.status_code >= 500 or (refused and not refusal(answer)):
            sent = f"{door.method} {address[:300]} {headers} {content[:600]!r}"
            report = f"{sent} → {answer.status_code} {answer.text[:500]}"
            failed.setdefault((door.method, door.path, answer.status_code), report)
    assert not failed, "\n\n".join(failed.values())
    assert taken > (TRIES or tries) / 20, (
        f"{taken} were taken in: the others were refused at the door already"
    )
