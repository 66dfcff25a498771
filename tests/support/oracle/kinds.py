"""What `django=` may name on each kind of row: fields with their type and value, relations with their rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from tests.support.oracle.data import Data, Follow, Row, by_key, over, pointing_here

Value = Callable[[Data, Row], Any]


@dataclass(frozen=True)
class Kind:
    """One kind of rows.

    table      where they are
    values     which of its rows are of this kind
    fields     {name: (type, value)}; types: text, int, float, bool, uuid, date, clock, instant, json
    relations  {name: (kind, rows)}
    key        the field that stands for the row
    """

    table: str
    fields: Mapping[str, tuple[str, Value]]
    relations: dict[str, tuple[str, Follow]] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    key: str = "id"


def _fields(**types: str) -> dict[str, tuple[str, Value]]:
    """Fields that are columns, such as `int="number level"`."""
    return {
        name: (type_, _column(name, type_)) for type_, names in types.items() for name in names.split()
    } | {"id": ("uuid", _column("id", "uuid"))}


def _column(name: str, type_: str) -> Value:
    def value(_data: Data, row: Row) -> Any:
        stored = row[name]
        if stored is None:
            return None
        if type_ == "clock":
            return datetime.fromisoformat(stored)
        return stored.astimezone(UTC).replace(tzinfo=None) if type_ == "instant" else stored

    return value


def _of(table: str, key: str, column: str) -> Value:
    """A column of the row that `key` points at."""

    def value(data: Data, row: Row) -> Any:
        other = data.row(table, id=row[key])
        return None if other is None else other[column]

    return value


def _version(column: str) -> Value:
    def value(data: Data, row: Row) -> Any:
        version = data.row("versions", dataset_id=row["id"], generation=row["generation"])
        return None if version is None else version[column]

    return value


def _size(data: Data, row: Row) -> Any:
    """The last one that is known."""
    versions = sorted(data.rows("versions", dataset_id=row["id"]), key=lambda version: version["generation"])
    sizes = [version["size_bytes"] for version in versions if version["size_bytes"] is not None]
    return sizes[-1] if sizes else None


def _copies(data: Data, row: Row) -> list[Row]:
    return data.rows("copies", dataset_id=row["id"])


def _exists(data: Data, row: Row) -> bool:
    unmanaged = _of("repositories", "repository_id", "store")(data, row) is None
    return bool(row["state"] == "verified" or (row["state"] == "claimed" and unmanaged))


def _path(data: Data, row: Row) -> str:
    """subject/date/number/… of a file; of an aggregate the registered folder."""
    if row["relative_path"] is not None:
        return str(row["relative_path"])
    dataset = data.row("datasets", id=row["dataset_id"])
    assert dataset is not None
    parts = [dataset["collection"], dataset["revision"] and f"#{dataset['revision']}#", dataset["name"]]
    _, _, below = dataset["lab_path"].partition("Subjects")
    return f"{below}/{'/'.join(filter(None, parts))}".lstrip("/")


def _of_insertion(data: Data, row: Row) -> list[Row]:
    rows = data.rows("datasets", session_id=row["session_id"])
    return [dataset for dataset in rows if [*dataset["collection"].split("/"), ""][1] == row["name"]]


def _of_field_of_view(data: Data, row: Row) -> list[Row]:
    ids = row["dataset_ids"]
    by_folder = _of_insertion(data, row)
    return (
        by_folder if ids is None else [dataset for dataset in data.rows("datasets") if dataset["id"] in ids]
    )


def _covered(data: Data, row: Row) -> list[Row]:
    return [region for region in data.rows("brain_regions") if region["id"] in row["brain_region_ids"]]


def _owner(kind: str, follow: Follow) -> Follow:
    """The rows of a table of which this row is a dataset."""

    def owners(data: Data, row: Row) -> list[Row]:
        return [
            other for other in data.rows(kind) if row["id"] in {each["id"] for each in follow(data, other)}
        ]

    return owners


def _current(mine: str, theirs: str, table: str) -> Follow:
    """Over memberships that are valid today."""

    def follow(data: Data, row: Row) -> list[Row]:
        today = date.today()  # noqa: DTZ011 - memberships in these tests begin and end long before or after
        return [
            other
            for membership in data.rows("memberships", **{mine: row["id"]})
            if membership["start_date"] <= today and (membership["end_date"] or today) >= today
            for other in data.rows(table, id=membership[theirs])
        ]

    return follow


def _parents(data: Data, row: Row) -> list[Row]:
    return [job for job in data.rows("jobs") if job["id"] in row["parents"]]


def _children(data: Data, row: Row) -> list[Row]:
    return [job for job in data.rows("jobs") if row["id"] in job["parents"]]


def _arguments(_data: Data, row: Row) -> Any:
    return {"pname": row["probe"]} if row["probe"] else json.loads(row["arguments"] or "null")


def _status(_data: Data, row: Row) -> int:
    return {"Waiting": 20, "Complete": 60, "Errored": 40}[row["state"]]


_NAMED_REVISION = {"name": ("text", lambda _data, row: row["name"])}
_SESSION = by_key("actions", "session_id")
_USER, _SUBJECT, _LAB = by_key("users", "user_id"), by_key("subjects", "subject_id"), by_key("labs", "lab_id")
_DATASET_FIELDS = {
    **_fields(text="name", int="qc", instant="created_datetime", uuid="object_id"),
    "collection": ("text", lambda _data, row: row["collection"] or None),
    "version": ("text", lambda _data, row: row["software_version"] or ""),
    "hash": ("text", lambda data, row: _version("md5")(data, row) or ""),
    "file_size": ("int", _size),
    "default_dataset": ("bool", _column("is_default", "bool")),
    "created_datetime": ("instant", _column("created_at", "instant")),
}


def _revision(data: Data, row: Row) -> list[Row]:
    return data.rows("revisions", name=row["revision"])


KINDS: dict[str, Kind] = {
    "user": Kind(
        "users",
        _fields(text="username", bool="is_active is_staff is_superuser is_stock_manager is_public_user"),
        {
            "subjects_responsible": ("subject", pointing_here("subjects", "responsible_user_id")),
            "actions_sessions": ("session", over("action_users", "user_id", "action_id", "actions", kind="session")),
            "lab": ("lab", _current("user_id", "lab_id", "labs")),
            "projects": ("project", over("project_users", "user_id", "project_id", "projects")),
        },
    ),
    "lab": Kind(
        "labs",
        _fields(text="name institution address timezone", float="reference_weight_pct", json="json"),
        {
            "repositories": (
                "repository", over("lab_repositories", "lab_id", "repository_id", "repositories")
            ),
            "subjects": ("subject", pointing_here("subjects", "lab_id")),
            "session": ("session", pointing_here("actions", "lab_id", kind="session")),
            "users": ("user", _current("lab_id", "user_id", "users")),
            "locations": ("location", pointing_here("locations", "lab_id")),
        },
    ),
    "repository": Kind(
        "repositories",
        _fields(text="name data_url hostname", bool="globus_is_personal", uuid="globus_endpoint_id"),
        {"lab": ("lab", over("lab_repositories", "repository_id", "lab_id", "labs"))},
    ),
    "project": Kind(
        "projects",
        _fields(text="name description"),
        {
            "users": ("user", over("project_users", "project_id", "user_id", "users")),
            "subjects": ("subject", over("subject_projects", "project_id", "subject_id", "subjects")),
            "sessions": ("session", over("session_projects", "project_id", "session_id", "actions")),
        },
    ),
    "location": Kind("locations", _fields(text="name"), {"lab": ("lab", _LAB)}),
    "term": Kind("vocabulary", _fields(text="name nickname")),
    "line": Kind("lines", _fields(text="name"), {"litters": ("litter", pointing_here("litters", "line_id"))}),
    "litter": Kind("litters", _fields(text="name", date="birth_date"), {"line": ("line", by_key("lines", "line_id"))}),
    "subject": Kind(
        "subjects",
        _fields(text="nickname sex description", date="birth_date death_date", json="json"),
        {
            "lab": ("lab", _LAB),
            "responsible_user": ("user", by_key("users", "responsible_user_id")),
            "species": ("term", by_key("vocabulary", "species_id")),
            "line": ("line", by_key("lines", "line_id")),
            "litter": ("litter", by_key("litters", "litter_id")),
            "projects": ("project", over("subject_projects", "subject_id", "project_id", "projects")),
            "genotype": ("term", over("zygosities", "subject_id", "allele_id", "vocabulary")),
            "weighings": ("weighing", pointing_here("weighings", "subject_id")),
            "water_administrations": ("water", pointing_here("water_administrations", "subject_id")),
            "actions_sessions": ("session", pointing_here("actions", "subject_id", kind="session")),
            "actions_surgerys": ("surgery", pointing_here("actions", "subject_id", kind="surgery")),
        },
    ),
    "weighing": Kind(
        "weighings",
        _fields(float="weight", clock="date_time", json="json"),
        {"subject": ("subject", _SUBJECT), "user": ("user", _USER)},
    ),
    "water": Kind(
        "water_administrations",
        _fields(float="water_administered", clock="date_time", bool="adlib", json="json"),
        {
            "subject": ("subject", _SUBJECT),
            "user": ("user", _USER),
            "water_type": ("term", by_key("vocabulary", "water_type_id")),
            "session": ("session", _SESSION),
        },
    ),
    "surgery": Kind(
        "actions",
        _fields(text="narrative outcome_type", clock="start_time end_time", float="implant_weight", json="json"),
        {
            "subject": ("subject", _SUBJECT),
            "users": ("user", over("action_users", "action_id", "user_id", "users")),
            "procedures": ("term", over("action_procedures", "action_id", "procedure_id", "vocabulary")),
        },
        values={"kind": "surgery"},
    ),
    "session": Kind(
        "actions",
        _fields(
            text="narrative task_protocol type", int="number n_trials n_correct_trials qc", clock="start_time end_time",
            json="json extended_qc", instant="auto_datetime",
        ),
        {
            "subject": ("subject", _SUBJECT),
            "lab": ("lab", _LAB),
            "location": ("location", by_key("locations", "location_id")),
            "users": ("user", over("action_users", "action_id", "user_id", "users")),
            "procedures": ("term", over("action_procedures", "action_id", "procedure_id", "vocabulary")),
            "projects": ("project", over("session_projects", "session_id", "project_id", "projects")),
            "parent_session": ("session", by_key("actions", "parent_session_id")),
            "probe_insertion": ("insertion", pointing_here("insertions", "session_id")),
            "field_of_view": ("field of view", pointing_here("fields_of_view", "session_id")),
            "data_dataset_session_related": ("dataset of a session", pointing_here("datasets", "session_id")),
            "wateradmin_session_related": ("water", pointing_here("water_administrations", "session_id")),
        },
        values={"kind": "session"},
    ),
    "insertion": Kind(
        "insertions",
        _fields(text="name serial", json="json", instant="auto_datetime"),
        {"session": ("session", _SESSION), "datasets": ("dataset of a session", _of_insertion)},
    ),
    "field of view": Kind(
        "fields_of_view",
        _fields(text="name", json="json"),
        {
            "session": ("session", _SESSION),
            "imaging_type": ("term", by_key("vocabulary", "imaging_type_id")),
            "stack": ("imaging stack", by_key("imaging_stacks", "stack_id")),
            "location": ("location of a field of view", pointing_here("fov_locations", "field_of_view_id")),
            "datasets": ("dataset of a session", _of_field_of_view),
        },
    ),
    "location of a field of view": Kind(
        "fov_locations",
        _fields(text="provenance", bool="default_provenance", json="json", instant="auto_datetime"),
        {
            "field_of_view": ("field of view", by_key("fields_of_view", "field_of_view_id")),
            "coordinate_system": ("term", by_key("vocabulary", "coordinate_system_id")),
            "brain_region": ("brain region", _covered),
        },
    ),
    "imaging stack": Kind(
        "imaging_stacks",
        _fields(text="name", json="json"),
        {"slices": ("field of view", pointing_here("fields_of_view", "stack_id"))},
    ),
    "brain region": Kind(
        "brain_regions",
        {name: ("text", _column(name, "text")) for name in ("acronym", "name")} | {"id": ("int", _column("id", "int"))},
        {
            "parent": ("brain region", by_key("brain_regions", "parent_id")),
            "children": ("brain region", pointing_here("brain_regions", "parent_id")),
        },
    ),
    "tag": Kind("tags", _fields(text="name", bool="protected public")),
    "dataset type": Kind("dataset_types", _fields(text="name filename_pattern")),
    "named format": Kind("formats", {"name": ("text", _column("name", "text"))}, key="name"),
    "named revision": Kind("revisions", {"name": ("text", _column("name", "text"))}, key="name"),
    "format": Kind("formats", _fields(text="name file_extension")),
    "revision": Kind("revisions", _fields(text="name")),
}  # fmt: skip

_OF_DATASET: dict[str, tuple[str, Follow]] = {
    "session": ("session", _SESSION),
    "dataset_type": ("dataset type", by_key("dataset_types", "dataset_type_id")),
    "tags": ("tag", over("dataset_tags", "dataset_id", "tag_id", "tags")),
}
_OWNERS: dict[str, tuple[str, Follow]] = {
    "probe_insertion": ("insertion", _owner("insertions", _of_insertion)),
    "field_of_view": ("field of view", _owner("fields_of_view", _of_field_of_view)),
}
KINDS["dataset of a session"] = Kind(
    "datasets",
    _DATASET_FIELDS,
    _OF_DATASET
    | _OWNERS
    | {
        "data_format": ("named format", by_key("formats", "format_id")),
        "revision": ("named revision", _revision),
        "file_records": ("file of a session", _copies),
    },
)
KINDS["file of a session"] = Kind(
    "copies",
    {"id": ("uuid", _column("id", "uuid")), "exists": ("bool", _exists)},
    {"data_repository": ("repository", by_key("repositories", "repository_id"))},
)

KINDS["membership"] = Kind(
    "memberships",
    _fields(text="role", date="start_date end_date"),
    {"user": ("user", _USER), "lab": ("lab", _LAB)},
)
for _noun, _key in (("lab", "lab_id"), ("user", "user_id")):
    KINDS[_noun].relations["labmembership"] = ("membership", pointing_here("memberships", _key))
KINDS["note"] = Kind(
    "notes", _fields(text="text", json="json", clock="date_time", uuid="object_id"), {"user": ("user", _USER)}
)
for _noun, _content_type in (
    ("session", "session"), ("subject", "subject"), ("insertion", "probeinsertion"), ("field of view", "fov"),
):  # fmt: skip
    KINDS[_noun].relations["notes"] = (
        "note", pointing_here("notes", "object_id", content_type=_content_type)
    )  # fmt: skip
KINDS["session"].relations["tasks"] = ("task of a session", pointing_here("jobs", "session_id"))
KINDS["session"].relations["session"] = (
    "session",
    pointing_here("actions", "parent_session_id", kind="session"),
)
KINDS["notice"] = Kind(
    "data_notices",
    _fields(text="name description version_affected", int="importance", json="json"),
    {"created_by": ("user", _USER)},
)
KINDS["download"] = Kind("downloads", _fields(int="count"), {"user": ("user", _USER)})
_OF_DATASET |= {
    "data_notices": ("notice", over("data_notice_datasets", "dataset_id", "data_notice_id", "data_notices")),
    "downloads": ("download", pointing_here("downloads", "dataset_id")),
}
KINDS["dataset of a session"].relations.update(_OF_DATASET)

# As registry and scheduler know them: all but what hangs on a subject.
_UNKNOWN = {
    "subject": ("weighings", "water_administrations", "actions_surgerys"),
    "session": ("wateradmin_session_related",),
    "field of view": ("stack", "location", "notes"),
    "line": ("litters",),
    "insertion": ("notes",),
}
_KNOWN = (
    "user", "lab", "repository", "project", "location", "line", "litter", "subject", "session", "insertion",
    "field of view", "note", "notice", "download",
)  # fmt: skip


def _known_by(prefix: str, datasets: str, tasks: str) -> None:
    """The kinds of metadata's rows as a neighbour knows them, with its own kinds of datasets and tasks."""
    targets = {noun: f"{prefix} {noun}" for noun in _KNOWN} | {
        "dataset of a session": datasets, "task of a session": tasks,
    }  # fmt: skip
    for noun in _KNOWN:
        kind = KINDS[noun]
        relations = {
            name: (targets.get(target, target), follow)
            for name, (target, follow) in kind.relations.items()
            if name not in (*_UNKNOWN.get(noun, ()), "labmembership")
        }
        KINDS[f"{prefix} {noun}"] = Kind(kind.table, kind.fields, relations, values=kind.values)


_known_by("registered", "dataset", "registered task")
_known_by("planned", "planned dataset", "task")
_TASK_FIELDS = _fields(
    text="graph executable version",
    int="level priority cpu gpu ram io_charge time_out_secs",
    float="time_elapsed_secs",
) | {
    "name": ("text", _column("task", "text")),
    "status": ("int", _status),
    "log": ("text", lambda _data, row: (row["reason"] if row["log"] is None else row["log"]) or None),
    "datetime": ("instant", _column("updated_at", "instant")),
    "arguments": ("json", _arguments),
}


def _task(session: str, repository: str, related: str) -> Kind:
    return Kind("jobs", _TASK_FIELDS, {
        "session": (session, _SESSION),
        "data_repository": (repository, by_key("repositories", "data_repository_id")),
        "parents": (related, _parents),
        "children": (related, _children),
    })  # fmt: skip


KINDS["task"] = _task("planned session", "planned repository", "task")
KINDS["registered task"] = _task("registered session", "registered repository", "registered task")
KINDS["task of a session"] = _task("session", "repository", "task of a session")
KINDS["planned dataset"] = Kind(
    "datasets",
    {name: _DATASET_FIELDS[name] for name in ("id", "name", "collection", "qc", "default_dataset")},
)
KINDS["dataset"] = Kind(
    "datasets",
    _DATASET_FIELDS | _fields(json="json", instant="auto_datetime"),
    _OF_DATASET
    | {
        "session": ("registered session", _SESSION),
        "probe_insertion": ("registered insertion", _OWNERS["probe_insertion"][1]),
        "field_of_view": ("registered field of view", _OWNERS["field_of_view"][1]),
        "data_notices": ("registered notice", _OF_DATASET["data_notices"][1]),
        "downloads": ("registered download", _OF_DATASET["downloads"][1]),
        "data_format": ("format", by_key("formats", "format_id")),
        "revision": ("revision", _revision),
        "file_records": ("file", _copies),
        "created_by": ("registered user", lambda data, row: data.rows("users", username=row["created_by"])),
    },
)
KINDS["file"] = Kind(
    "copies",
    _fields(json="json") | {"exists": ("bool", _exists), "relative_path": ("text", _path)},
    {
        "dataset": ("dataset", by_key("datasets", "dataset_id")),
        "data_repository": ("registered repository", by_key("repositories", "repository_id")),
    },
)
