"""File records: what clients say of copies, one by one."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa

from libs.common.db import Transaction
from libs.common.db.changes import apply
from libs.common.db.lists import uuid_of
from libs.common.events import ProofOrdered
from libs.common.permissions import Principal, may_on
from libs.common.problem import BadRequest, Conflict, NotFound
from libs.common.schemas.files.datasets import FileRecordIn
from libs.common.schemas.states import CopyState
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import (
    Registration,
    Target,
    effect_of_delete_file,
    effect_of_patch_file,
    effect_of_register,
)
from services.registry.domain.copies import Copy, Version
from services.registry.domain.holdings import Policy
from services.registry.models import CopyRow
from services.registry.operations import retirement
from services.registry.operations.bulk_writes import Changes
from services.registry.operations.datasets import Found, editable
from services.registry.operations.vocabularies import REQUIRED
from services.registry.queries import registration as queries
from services.registry.queries import retirement as retirement_queries
from services.registry.queries.datasets import GONE


async def create_file(tx: Transaction, by: Principal, seen: Visibility, new: FileRecordIn) -> UUID:
    """Write down that a dataset is, or will be, in one more repository."""
    if not new.dataset or not new.data_repository:
        raise BadRequest(fields={"dataset" if not new.dataset else "data_repository": REQUIRED})
    dataset_id = uuid_of("dataset", new.dataset)
    try:
        found = await editable(tx, by, seen, dataset_id)
    except NotFound:
        raise queries.unknown("dataset", "id", dataset_id) from None
    repository = await queries.repository_named(tx.session, new.data_repository, None)
    if repository is None:
        raise BadRequest(fields={"data_repository": REQUIRED})
    generation = found.row.generation
    if any(
        (k.copy.repository, k.copy.generation) == (repository.name, generation)
        and k.copy.state not in {CopyState.RETIRED, CopyState.RETIRING}
        for k in found.copies
    ):
        raise Conflict("This dataset has a record in that repository already.")
    target = Target(repository.name, queries.place_of(repository.store), is_named=True)
    said = Registration(None, "", exists=new.exists is not False)
    effect = effect_of_register(Version(generation, md5=""), [k.copy for k in found.copies], said, [target])
    changes = Changes({repository.name: repository.id})
    changes.note(found.row.id, effect.version, found.copies, effect)
    await changes.write(tx)
    if changes.proofs:
        tx.publish(ProofOrdered(copy_ids=changes.proofs))
    which = await tx.session.scalar(
        sa.select(CopyRow.id).where(
            CopyRow.dataset_id == found.row.id,
            CopyRow.repository_id == repository.id,
            CopyRow.generation == generation,
        )
    )
    if which is None:
        raise NotFound
    connection = await tx.session.connection()
    await connection.execute(sa.update(CopyRow).where(CopyRow.id == which).values(json=new.json_))
    tx.audit("file.created", "file", which, after={"repository": repository.name})
    return which


async def _file(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> tuple[Found, CopyRow, Copy]:
    row = await tx.session.get(CopyRow, which)
    if row is None:
        raise NotFound(f"There is no file record {which}.")
    try:
        found = await editable(tx, by, seen, row.dataset_id)
    except NotFound:
        raise NotFound(f"There is no file record {which}.") from None
    await tx.session.refresh(row)
    kept = next((k for k in found.copies if k.id == which), None)
    if kept is None or row.generation != found.row.generation or kept.copy.state in GONE:
        raise NotFound(f"There is no file record {which}.")
    return found, row, kept.copy


async def change_file(
    tx: Transaction, by: Principal, seen: Visibility, which: UUID, body: FileRecordIn
) -> None:
    """Take a client's word that a file is there, or is not; `json` replaces what was kept. Raises ProvedCopy."""
    found, row, copy = await _file(tx, by, seen, which)
    if "json_" in body.model_fields_set:
        apply(tx, "file", row, {"json": body.json_})
    if body.exists is None:
        return
    after, ordered = effect_of_patch_file(
        copy,
        exists=body.exists,
        was_proved=row.proved_at is not None,
        may_doubt=retirement.may_give_up(by, found.target)
        or may_on(by, Permission.PROVE, replace(found.target, repository_id=row.repository_id)),
    )
    apply(tx, "file", row, {"state": str(after.state), "order_proof": ordered})
    if ordered:
        tx.publish(ProofOrdered(copy_ids=[which]))


async def delete_file(tx: Transaction, by: Principal, seen: Visibility, which: UUID, policy: Policy) -> None:
    """Forget a record on an unmanaged repository; retire a managed copy. Raises MayNotRetire, ProtectedDataset."""
    subject = await retirement_queries.subject(tx.session, seen, which)
    if subject is None:
        raise NotFound(f"There is no file record {which}.")
    case, decision = await retirement.decision_alone(tx, subject, policy)  # first: it locks in a fixed order
    found, row, copy = await _file(tx, by, seen, which)
    if copy.place.is_managed:
        await retirement.check_may_give_up(tx, by, subject)
    after = effect_of_delete_file(copy, decision, is_said=row.order_proof, is_protected=found.is_protected)
    if copy.place.is_managed:
        await retirement.give_up(tx, case, decision, "DELETE /files")
    else:
        apply(tx, "file", row, {"state": str(after.state), "order_proof": False})
