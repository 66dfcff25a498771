"""From what a call means (`domain`) to rows: all datasets of one call together, few statements."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase

from libs.common.db import Transaction
from libs.common.schemas.states import CopyState
from services.registry.domain.alyx_calls import Effect
from services.registry.domain.copies import Copy, Version
from services.registry.models import CopyRow, DatasetRow, VersionRow
from services.registry.queries.registration import KeptCopy

ROWS_AT_ONCE = 5_000


@dataclass
class Changes:
    """Rows to be written. `repositories`: id by name; `how`: in whose words a copy is verified."""

    repositories: Mapping[str, UUID]
    how: str = ""
    versions: list[dict[str, Any]] = field(default_factory=list)
    known_versions: list[dict[str, Any]] = field(default_factory=list)
    new_copies: list[dict[str, Any]] = field(default_factory=list)
    changed_copies: list[dict[str, Any]] = field(default_factory=list)
    current: list[dict[str, Any]] = field(default_factory=list)
    proofs: list[UUID] = field(default_factory=list)
    verified: dict[UUID, UUID] = field(default_factory=dict)  # dataset → the copy that is verified now

    def note(
        self, dataset_id: UUID, before: Version | None, kept: Sequence[KeptCopy], effect: Effect
    ) -> None:
        """Take the effect of a call on one dataset."""
        if effect.is_new_version:
            self.versions.append(_version(dataset_id, effect.version))
            self.current.append({"id": dataset_id, "generation": effect.version.generation})
        elif before != effect.version:
            self.known_versions.append(
                {"dataset_id": dataset_id, "generation": effect.version.generation, **_facts(effect.version)}
            )
        rows = {(k.copy.repository, k.copy.generation): k for k in kept}
        for copy in effect.copies:
            ordered = (
                copy.generation == effect.version.generation and copy.repository in effect.proofs_ordered
            )
            self._note_copy(dataset_id, copy, rows.get((copy.repository, copy.generation)), ordered=ordered)

    def _note_copy(self, dataset_id: UUID, copy: Copy, row: KeptCopy | None, *, ordered: bool) -> None:
        which = row.id if row else uuid4()
        is_proved = copy.state is CopyState.VERIFIED and (row is None or row.copy.state is not copy.state)
        proof = {"proved_at": datetime.now(UTC), "proved_how": self.how} if is_proved else {}
        if row is None:
            self.new_copies.append(
                {
                    "id": which,
                    "dataset_id": dataset_id,
                    "repository_id": self.repositories[copy.repository],
                    "generation": copy.generation,
                    "state": str(copy.state),
                    "order_proof": ordered,
                    "proved_at": None,
                    "proved_how": "",
                }
                | proof
            )
        elif row.copy.state is not copy.state or ordered:
            self.changed_copies.append(
                {"id": which, "state": str(copy.state), "order_proof": ordered, "notice": ""} | proof
            )
        if ordered:
            self.proofs.append(which)
        if is_proved:
            self.verified[dataset_id] = which

    async def write(self, tx: Transaction) -> None:
        """Write everything; datasets that are new must be there already."""
        await insert_all(tx, VersionRow, self.versions)
        await update_all(tx, VersionRow, self.known_versions, "dataset_id", "generation")
        await update_all(tx, DatasetRow, self.current, "id")
        await insert_all(tx, CopyRow, self.new_copies)
        proved = [row for row in self.changed_copies if "proved_at" in row]
        await update_all(tx, CopyRow, proved, "id")
        await update_all(tx, CopyRow, [row for row in self.changed_copies if "proved_at" not in row], "id")


def _version(dataset_id: UUID, version: Version) -> dict[str, Any]:
    return {
        "id": uuid4(),
        "dataset_id": dataset_id,
        "generation": version.generation,
        **_facts(version),
    }


def _facts(version: Version) -> dict[str, Any]:
    return {"size_bytes": version.size_bytes, "md5": version.md5, "sha256": version.sha256}


async def insert_all(tx: Transaction, kind: type[DeclarativeBase], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns, thousands in one statement."""
    connection = await tx.session.connection()
    for some in _portions(rows):
        given = await asyncio.to_thread(_given, kind, some)
        await connection.execute(sa.insert(kind).from_select(list(rows[0]), sa.select(*given.c)))


async def update_all(
    tx: Transaction, kind: type[DeclarativeBase], rows: Sequence[dict[str, Any]], *keys: str
) -> None:
    """Update rows that all have the same columns, thousands in one statement; `keys` are the columns that find them."""
    connection = await tx.session.connection()
    columns = kind.__table__.c
    for some in _portions(rows):
        given = await asyncio.to_thread(_given, kind, some)
        await connection.execute(
            sa.update(kind)
            .values({name: given.c[name] for name in rows[0] if name not in keys})
            .where(*(columns[key] == given.c[key] for key in keys))
        )


def _portions(rows: Sequence[dict[str, Any]]) -> Iterator[Sequence[dict[str, Any]]]:
    # The driver writes a statement's values down in one go, and holds the event loop meanwhile.
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield rows[start : start + ROWS_AT_ONCE]


def _given(kind: type[DeclarativeBase], rows: Sequence[dict[str, Any]]) -> sa.TableValuedAlias:
    """Rows as a table: one array a column, so that thousands of rows are a handful of parameters."""
    types = {name: kind.__table__.c[name].type for name in rows[0]}
    arrays = [sa.literal([row[name] for row in rows], sa.ARRAY(kind_)) for name, kind_ in types.items()]
    columns = [sa.column(name, kind_) for name, kind_ in types.items()]
    return sa.func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
