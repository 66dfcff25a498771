"""What loading a file would change on a server, found by reading only; then done, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import quote

from cingulum.client.loading.file import Row
from cingulum.client.loading.kinds import DELEGATES, LAB_REPOSITORIES, Kind, plain
from cingulum.http import Connection, Refused

CHANGED_BY_ITS_OWNER = "one's own password is changed with the old one, at /app/account"
_SET_LATER = {("users", "allowed_users"), ("data_repositories", "labs")}
"""Sections' fields that a step of their own sets, once all that they name is there."""


class Action(StrEnum):
    """What becomes of a row."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    KEPT = "kept"
    """The server's row differs and cannot be changed so: it stays."""


class RowRefused(Exception):
    """The server refused a row; the message names the row and what the server says."""


@dataclass(frozen=True)
class Difference:
    """A field that differs: as it is, and as the file wants it. A password shows neither."""

    field: str
    found: Any
    wanted: Any


@dataclass(frozen=True)
class Step:
    """One row with what is to be done for it: `body` is sent by `method` to `path`; `why` it is kept."""

    row: Row
    action: Action
    differences: tuple[Difference, ...] = ()
    method: str = "POST"
    path: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    why: str = "the API cannot change it"


class _Server:
    """What the server holds, each list read once."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._lists: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def rows(self, path: str, **params: str) -> list[dict[str, Any]]:
        key = (path, repr(params))
        if key not in self._lists:
            self._lists[key] = list(self.connection.rows(path, **params))
        return self._lists[key]

    def of(self, path: str, field: str) -> dict[str, str]:
        """Id (or nickname) → name, of every row of a list."""
        return {
            str(record[by]): record[field]
            for by in ("nickname", "id")
            for record in self.rows(path)
            if record.get(by)
        }

    def find(self, row: Row) -> dict[str, Any] | None:
        """The server's row of the same key, as the file would write it."""
        kind = row.kind
        params = {name: str(row.values[source]) for name, source in (kind.asked or {}).items()}
        for record in self.rows(kind.path, **params):
            if all(_alike(name, record.get(name), row.values[name]) for name in kind.key):
                return kind.read(record, self)
        return None

    @cached_property
    def own_name(self) -> str:
        """The name of who loads."""
        return str(self.connection.get("/me")["username"])

    def signs_in(self, username: str, password: str) -> bool:
        try:
            Connection.sign_in(self.connection.base_url, username, password).close()
        except Refused:
            return False
        return True


def plan(connection: Connection, rows: Sequence[Row], *, set_passwords: bool = False) -> list[Step]:
    """Compare rows with the server, in the order in which the steps can be done. Raises ServerProblem."""
    server = _Server(connection)
    steps = []
    for kind, its in _by_kind(rows):
        steps += [_step(server, row, set_passwords) for row in its]
        if kind.section == "users":
            steps += [_delegates(server, row) for row in its if row.values.get("allowed_users")]
        if kind.section == "data_repositories":
            steps += list(_repositories_of_labs(server, its))
    return steps


def carry_out(
    connection: Connection, steps: Iterable[Step], done: Callable[[Step], None] = lambda _step: None
) -> None:
    """Do what the steps say; `done` hears of each. Raises RowRefused at the first that the server refuses."""
    for step in steps:
        if step.action in {Action.CREATE, Action.CHANGE}:
            try:
                connection.request(step.method, step.path, body=step.body)
            except Refused as refusal:
                raise RowRefused(f"{step.row.place}: {refusal}") from refusal
        done(step)


def _by_kind(rows: Sequence[Row]) -> Iterator[tuple[Kind, list[Row]]]:
    seen: dict[str, list[Row]] = {}
    for row in rows:
        seen.setdefault(row.kind.section, []).append(row)
    for its in seen.values():
        yield its[0].kind, its


def _step(server: _Server, row: Row, set_passwords: bool) -> Step:
    kind = row.kind
    found = server.find(row)
    wanted = {name: value for name, value in row.values.items() if (kind.section, name) not in _SET_LATER}
    if found is None:
        sent = {name: value for name, value in wanted.items() if value is not None}
        return Step(row, Action.CREATE, path=kind.path, body=sent)
    password = wanted.pop("password", None)
    differences = _differences(server, wanted, found)
    if password and set_passwords and not server.signs_in(row.values["username"], password):
        is_own = row.values["username"] == server.own_name
        other = (Difference("password", "***", "***"),)
        if is_own and not differences:
            return Step(row, Action.KEPT, other, why=CHANGED_BY_ITS_OWNER)
        if not is_own:
            differences += other
            wanted["password"] = password
    if not differences:
        return Step(row, Action.SAME)
    if kind.change is None:
        return Step(row, Action.KEPT, differences)
    if kind.change == "post":
        return Step(row, Action.CHANGE, differences, "POST", kind.path, wanted)
    body = {each.field: wanted[each.field] for each in differences}
    return Step(row, Action.CHANGE, differences, "PATCH", _address(kind, str(found[kind.at])), body)


def _delegates(server: _Server, row: Row) -> Step:
    found = server.find(row) or {}
    values = {name: row.values[name] for name in ("username", "allowed_users")}
    return _link(replace(row, kind=DELEGATES, values=values), found, "allowed_users")


def _repositories_of_labs(server: _Server, rows: Sequence[Row]) -> Iterator[Step]:
    """Labs keep the repositories that they have, and get those that the file adds."""
    for lab in dict.fromkeys(name for row in rows for name in row.values.get("labs") or []):
        its = [row for row in rows if lab in (row.values.get("labs") or [])]
        first = replace(its[0], kind=LAB_REPOSITORIES, values={"name": lab})
        found = server.find(first) or {}
        wanted = sorted({*found.get("repositories", []), *(row.values["name"] for row in its)})
        yield _link(replace(first, values={"name": lab, "repositories": wanted}), found, "repositories")


def _link(row: Row, found: Mapping[str, Any], name: str) -> Step:
    wanted = row.values[name]
    if _alike(name, found.get(name, []), wanted):
        return Step(row, Action.SAME)
    difference = Difference(name, found.get(name, []), wanted)
    path = _address(row.kind, str(row.values[row.kind.at]))
    return Step(row, Action.CHANGE, (difference,), "PATCH", path, {name: wanted})


def _differences(
    server: _Server, wanted: Mapping[str, Any], found: Mapping[str, Any]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(name, found[name], value)
        for name, value in wanted.items()
        if name in found and not _alike(name, *(_named(server, name, each) for each in (found[name], value)))
    )


def _named(server: _Server, name: str, value: Any) -> Any:
    """Alleles are known by two names, and addresses of our own are completed by the server."""
    if name == "data_url" and isinstance(value, str) and value.startswith("/"):
        return server.connection.base_url + value
    if name not in {"alleles", "zygosities"} or not isinstance(value, list):
        return value
    names = server.of("/alleles", "name")
    if name == "alleles":
        return [names.get(each, each) for each in value]
    return [{**each, "allele": names.get(each["allele"], each["allele"])} for each in value]


def _alike(name: str, found: Any, wanted: Any) -> bool:
    return bool(plain(name, found) == plain(name, wanted))


def _address(kind: Kind, name: str) -> str:
    return f"{kind.path}/{quote(name, safe='')}"
