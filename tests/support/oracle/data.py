"""All rows of a system's tables, as plain dictionaries."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg

Row = Mapping[str, Any]
TABLES = {
    "metadata": (
        "users", "delegates", "labs", "lab_repositories", "memberships", "projects", "project_users", "locations",
        "vocabulary", "lines", "litters", "subjects", "subject_projects", "zygosities", "weighings",
        "water_administrations", "actions", "action_users", "action_procedures", "session_projects", "insertions",
        "fields_of_view", "fov_locations", "imaging_stacks", "brain_regions", "notes",
    ),
    "registry": (
        "repositories", "formats", "dataset_types", "revisions", "tags", "datasets", "dataset_tags", "versions",
        "copies", "data_notices", "data_notice_datasets", "downloads",
    ),
    "scheduler": ("jobs",),
}  # fmt: skip


class Data:
    """The rows that are not deleted, by table."""

    def __init__(self, tables: Mapping[str, list[Row]]) -> None:
        self.tables = tables

    def rows(self, table: str, **values: Any) -> list[Row]:
        """The rows of a table with these values."""
        return [
            row
            for row in self.tables[table]
            if row.get("deleted_at") is None and all(row[name] == value for name, value in values.items())
        ]

    def row(self, table: str, **values: Any) -> Row | None:
        """The only row with these values."""
        rows = self.rows(table, **values)
        assert len(rows) < 2
        return rows[0] if rows else None


Follow = Callable[[Data, Row], list[Row]]


async def fetch_data(url: str) -> Data:
    """All rows. A JSON column's null is None, as if there were no value."""
    connection = await asyncpg.connect(url)
    await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    tables: dict[str, list[Row]] = {
        table: [dict(row) for row in await connection.fetch(f"SELECT * FROM {schema}.{table}")]
        for schema, names in TABLES.items()
        for table in names
    }
    await connection.close()
    tables["copies"] = [_as_shown(copy) for copy in tables["copies"] if _is_shown(copy, tables["datasets"])]
    return Data(tables)


def _is_shown(copy: Row, datasets: list[Row]) -> bool:
    """A file record shows the copy of the dataset's newest version, unless it is given up."""
    newest = {dataset["id"]: dataset["generation"] for dataset in datasets}
    return copy["generation"] == newest[copy["dataset_id"]] and copy["state"] not in {"retiring", "retired"}


def _as_shown(copy: Row) -> Row:
    """A file record keeps its id while copies of newer versions follow each other."""
    return {**copy, "id": copy["file_id"] or copy["id"]}


def by_key(table: str, key: str) -> Follow:
    """To the row whose id is in this row's `key`."""
    return lambda data, row: data.rows(table, id=row[key]) if row[key] is not None else []


def pointing_here(table: str, key: str, **values: Any) -> Follow:
    """To the rows whose `key` holds this row's id."""
    return lambda data, row: data.rows(table, **{key: row["id"]}, **values)


def over(link: str, mine: str, theirs: str, table: str, **values: Any) -> Follow:
    """To the rows of a table that a link table joins with this row."""
    return lambda data, row: [
        other
        for joined in data.rows(link, **{mine: row["id"]})
        for other in data.rows(table, id=joined[theirs], **values)
    ]
