"""Writes the effects of calls (`domain`) on many datasets together, in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.common.db import Transaction
from libs.common.schemas.states import CopyState
from services.registry.domain.alyx_calls import Effect
from services.registry.domain.copies import Version, VersionCopy
from services.registry.models import CopyRow, DatasetRow, VersionRow
from services.registry.queries.bulk_writes import insert_rows, update_rows
from services.registry.queries.copies import StoredCopy

Rows = list[dict[str, object]]


@dataclass
class BulkWrites:
    """Rows to write. `repositories`: id by name; `how`: stored as `proved_how` of verified copies."""

    repositories: Mapping[str, UUID]
    how: str = ""
    versions: Rows = field(default_factory=list)
    changed_versions: Rows = field(default_factory=list)
    new_copies: Rows = field(default_factory=list)
    changed_copies: Rows = field(default_factory=list)
    current: Rows = field(default_factory=list)
    proofs: list[UUID] = field(default_factory=list)
    verified: dict[UUID, UUID] = field(default_factory=dict)  # dataset → its newly verified copy

    def add(
        self, dataset_id: UUID, before: Version | None, stored: Sequence[StoredCopy], effect: Effect
    ) -> None:
        """Add the effect of a call on one dataset."""
        if effect.is_new_version:
            self.versions.append({"id": uuid4(), **_version(dataset_id, effect.version)})
            if effect.version.generation > 1:  # a new dataset has the first
                self.current.append({"id": dataset_id, "generation": effect.version.generation})
        elif before != effect.version:
            self.changed_versions.append(_version(dataset_id, effect.version))
        rows = {(row.copy.repository, row.copy.generation): row for row in stored}
        records = {row.copy.repository: row for row in stored}
        for copy in effect.copies:
            ordered = (
                copy.generation == effect.version.generation and copy.repository in effect.proofs_ordered
            )
            row = rows.get((copy.repository, copy.generation))
            self._add_copy(dataset_id, copy, row, records.get(copy.repository), ordered=ordered)

    def _add_copy(
        self,
        dataset_id: UUID,
        copy: VersionCopy,
        row: StoredCopy | None,
        record: StoredCopy | None,
        *,
        ordered: bool,
    ) -> None:
        """Add a copy; `row` is its own one, `record` that of any version in the same repository."""
        copy_id = row.id if row else uuid4()
        is_proved = copy.state is CopyState.VERIFIED and (row is None or row.copy.state is not copy.state)
        proof = {"proved_at": datetime.now(UTC), "proved_how": self.how} if is_proved else {}
        if row is None:
            self.new_copies.append(
                {
                    "id": copy_id,
                    "dataset_id": dataset_id,
                    "repository_id": self.repositories[copy.repository],
                    "generation": copy.generation,
                    "file_id": record.file_id if record else copy_id,
                    "relative_path": record.relative_path if record else None,
                    "state": str(copy.state),
                    "order_proof": ordered,
                    "proved_at": None,
                    "proved_how": "",
                }
                | proof
            )
        elif row.copy.state is not copy.state or ordered:
            self.changed_copies.append(
                {"id": copy_id, "state": str(copy.state), "order_proof": ordered, "notice": ""} | proof
            )
        if ordered:
            self.proofs.append(copy_id)
        if is_proved:
            self.verified[dataset_id] = copy_id

    async def write(self, tx: Transaction) -> None:
        """Write all rows; new datasets must already exist."""
        session = tx.session
        await insert_rows(session, VersionRow, self.versions)
        await update_rows(session, VersionRow, self.changed_versions, "dataset_id", "generation")
        await update_rows(session, DatasetRow, self.current, "id")
        await insert_rows(session, CopyRow, self.new_copies)
        proved = [row for row in self.changed_copies if "proved_at" in row]
        others = [row for row in self.changed_copies if "proved_at" not in row]
        await update_rows(session, CopyRow, proved, "id")
        await update_rows(session, CopyRow, others, "id")


def _version(dataset_id: UUID, version: Version) -> dict[str, object]:
    return {
        "dataset_id": dataset_id,
        "generation": version.generation,
        "size_bytes": version.size_bytes,
        "md5": version.md5,
        "sha256": version.sha256,
    }
