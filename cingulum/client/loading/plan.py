"""Plans what loading a file changes on a server, by reading only; then applies it row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any
from urllib.parse import quote

from cingulum.client.loading.file import BadFile, Row
from cingulum.client.loading.kinds import DELEGATES, LAB_REPOSITORIES, Kind, plain
from cingulum.http import Connection, Refused

CHANGED_BY_ITS_OWNER = "your own password is changed with the old one, at /app/account"
_SET_LATER = {("users", "allowed_users"), ("data_repositories", "labs")}
"""Fields that a later step sets, once all rows that they name exist."""


class Action(StrEnum):
    """What is done with a row."""

    CREATE = "create"
    CHANGE = "change"
    SAME = "same"
    KEPT = "kept"
    """The server's row differs, and the API cannot change it."""


class RowRefused(Exception):
    """The server refused a row; the message names the row and the reason."""


@dataclass(frozen=True)
class Difference:
    """A field that differs: the server's value and the file's. Both are masked for a password."""

    field: str
    current: Any
    new: Any


@dataclass(frozen=True)
class Step:
    """One row and what to do with it.

    `body` is sent by `method` to `path`; `why` a differing row is kept. The subject of a record that several labs have
    is sent by its id: that in the lab `of_lab`, which may not exist before the steps above.
    """

    row: Row
    action: Action
    differences: tuple[Difference, ...] = ()
    method: str = "POST"
    path: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)
    why: str = "the API cannot change it"
    of_lab: str | None = None


class _Server:
    """The server's rows; each list is fetched once. `declared` are those of the file."""

    def __init__(self, connection: Connection, declared: Sequence[Row]) -> None:
        self.connection = connection
        self._declared_labs: dict[str, set[str]] = {}
        for row in declared:
            if row.kind.section == "subjects" and row.values.get("lab"):
                self._declared_labs.setdefault(row.values["nickname"], set()).add(row.values["lab"])
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
        """The server's row of the same key, as the file would write it. Raises BadFile if several have it."""
        kind = row.kind
        params = {name: str(row.values[source]) for name, source in (kind.filters or {}).items()}
        if lab := self.lab_of_subject(row):
            params["lab"] = lab
        records = [
            record
            for record in self.rows(kind.path, **params, **(kind.options or {}))
            if all(_is_equal(name, record.get(name), row.values[name]) for name in kind.key)
        ]
        if kind.within:
            records = _within(row, records)
        return kind.from_server(records[0], self) if records else None

    def lab_of_subject(self, row: Row) -> str | None:
        """The lab of a record's subject, if several labs have one of that nickname. Raises BadFile."""
        if "subject" not in row.kind.key:
            return None
        nickname, lab = row.values["subject"], row.values.get("lab")
        subjects = self.rows("/subjects", nickname=nickname)
        here = {each["lab"] for each in subjects if each["nickname"] == nickname and each["lab"]}
        labs = here | self._declared_labs.get(nickname, set())
        if row.kind.is_of_lab and lab and labs and lab not in labs:
            raise BadFile(
                f"{row.place}: no subject '{nickname}' is in the lab '{lab}', but in {_listed(labs)}"
            )
        if len(labs) < 2:
            return None
        if lab not in labs:
            raise BadFile(_ambiguous(row, nickname, labs))
        return str(lab)

    @cached_property
    def own_name(self) -> str:
        """The username of the caller."""
        return str(self.connection.get("/me")["username"])

    def signs_in(self, username: str, password: str) -> bool:
        try:
            Connection.sign_in(self.connection.base_url, username, password).close()
        except Refused:
            return False
        return True


def plan(connection: Connection, rows: Sequence[Row], *, set_passwords: bool = False) -> list[Step]:
    """Compare rows with the server; the steps in an order in which they can be done.

    Raises ServerProblem, and BadFile for a row that does not say which of several subjects it means.
    """
    server = _Server(connection, rows)
    steps = []
    for kind, section in _by_kind(rows):
        steps += [_step(server, row, set_passwords) for row in section]
        if kind.section == "users":
            steps += [_delegates(server, row) for row in section if row.values.get("allowed_users")]
        if kind.section == "data_repositories":
            steps += list(_repositories_of_labs(server, section))
    return steps


def carry_out(
    connection: Connection, steps: Iterable[Step], done: Callable[[Step], None] = lambda _step: None
) -> None:
    """Do the steps; `done` is called after each. Raises RowRefused at the first that the server refuses."""
    for step in steps:
        if step.action in {Action.CREATE, Action.CHANGE}:
            try:
                connection.request(step.method, step.path, body=_body(connection, step))
            except Refused as refusal:
                raise RowRefused(f"{step.row.place}: {refusal}") from refusal
        done(step)


def _body(connection: Connection, step: Step) -> Mapping[str, Any]:
    if step.of_lab is None or "subject" not in step.body:
        return step.body
    nickname = step.body["subject"]
    ids = [
        each["id"]
        for each in connection.rows("/subjects", nickname=nickname, lab=step.of_lab)
        if each["nickname"] == nickname
    ]
    if not ids:
        raise RowRefused(f"{step.row.place}: the lab '{step.of_lab}' has no subject '{nickname}'")
    return {**step.body, "subject": ids[0]}


def _within(row: Row, records: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of a row's lab; without a lab in the file the only one. A record without a lab may get it."""
    name = row.kind.within
    labs = [record[name] for record in records]
    if row.values.get(name):
        return [record for record in records if record[name] in (row.values[name], None)]
    if len(records) > 1:
        raise BadFile(_ambiguous(row, row.name, labs))
    return list(records)


def _ambiguous(row: Row, nickname: str, labs: Iterable[str]) -> str:
    return f"{row.place}: several labs have a subject '{nickname}': say in 'lab' which: {_listed(labs)}"


def _listed(labs: Iterable[str]) -> str:
    return ", ".join(sorted(labs))


def _by_kind(rows: Sequence[Row]) -> Iterator[tuple[Kind, list[Row]]]:
    sections: dict[str, list[Row]] = {}
    for row in rows:
        sections.setdefault(row.kind.section, []).append(row)
    for section in sections.values():
        yield section[0].kind, section


def _step(server: _Server, row: Row, set_passwords: bool) -> Step:
    kind = row.kind
    record = server.find(row)
    values = {name: value for name, value in row.values.items() if (kind.section, name) not in _SET_LATER}
    if kind.is_of_lab:
        values.pop("lab", None)
    if record is None:
        sent = {name: value for name, value in values.items() if value is not None}
        return Step(row, Action.CREATE, path=kind.path, body=sent, of_lab=server.lab_of_subject(row))
    password = values.pop("password", None)
    differences = _differences(server, values, record)
    if password and set_passwords and not server.signs_in(row.values["username"], password):
        is_own = row.values["username"] == server.own_name
        other = (Difference("password", "***", "***"),)
        if is_own and not differences:
            return Step(row, Action.KEPT, other, why=CHANGED_BY_ITS_OWNER)
        if not is_own:
            differences += other
            values["password"] = password
    if not differences:
        return Step(row, Action.SAME)
    if kind.change is None:
        return Step(row, Action.KEPT, differences)
    if kind.change == "post":
        return Step(row, Action.CHANGE, differences, "POST", kind.path, values)
    body = {difference.field: values[difference.field] for difference in differences}
    return Step(row, Action.CHANGE, differences, "PATCH", _address(kind, str(record[kind.at])), body)


def _delegates(server: _Server, row: Row) -> Step:
    record = server.find(row) or {}
    values = {name: row.values[name] for name in ("username", "allowed_users")}
    return _link(replace(row, kind=DELEGATES, values=values), record, "allowed_users")


def _repositories_of_labs(server: _Server, rows: Sequence[Row]) -> Iterator[Step]:
    """Labs keep their repositories, and get those that the file adds."""
    for lab in dict.fromkeys(name for row in rows for name in row.values.get("labs") or []):
        named = [row for row in rows if lab in (row.values.get("labs") or [])]
        first = replace(named[0], kind=LAB_REPOSITORIES, values={"name": lab})
        record = server.find(first) or {}
        repositories = sorted({*record.get("repositories", []), *(row.values["name"] for row in named)})
        yield _link(
            replace(first, values={"name": lab, "repositories": repositories}), record, "repositories"
        )


def _link(row: Row, record: Mapping[str, Any], name: str) -> Step:
    value = row.values[name]
    if _is_equal(name, record.get(name, []), value):
        return Step(row, Action.SAME)
    difference = Difference(name, record.get(name, []), value)
    path = _address(row.kind, str(row.values[row.kind.at]))
    return Step(row, Action.CHANGE, (difference,), "PATCH", path, {name: value})


def _differences(
    server: _Server, values: Mapping[str, Any], record: Mapping[str, Any]
) -> tuple[Difference, ...]:
    return tuple(
        Difference(name, record[name], value)
        for name, value in values.items()
        if name in record
        and not _is_equal(name, _named(server, name, record[name]), _named(server, name, value))
    )


def _named(server: _Server, name: str, value: Any) -> Any:
    """Alleles have two names, and the server completes relative addresses."""
    if name == "data_url" and isinstance(value, str) and value.startswith("/"):
        return server.connection.base_url + value
    if name not in {"alleles", "zygosities"} or not isinstance(value, list):
        return value
    names = server.of("/alleles", "name")
    if name == "alleles":
        return [names.get(allele, allele) for allele in value]
    return [{**zygosity, "allele": names.get(zygosity["allele"], zygosity["allele"])} for zygosity in value]


def _is_equal(name: str, current: Any, new: Any) -> bool:
    return bool(plain(name, current) == plain(name, new))


def _address(kind: Kind, name: str) -> str:
    return f"{kind.path}/{quote(name, safe='')}"
