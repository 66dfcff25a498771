"""Datasets, changed one by one as Alyx's contract allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cingulum.alf import AlfError, check_plain_name, parse_inside
from libs.common.db import Transaction
from libs.common.db.changes import apply
from libs.common.db.lists import uuid_of
from libs.common.events import FilesRegistered
from libs.common.permissions import Principal, Target, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound
from libs.common.published import SESSIONS, table
from libs.common.schemas.files.datasets import DatasetIn
from libs.common.scopes import Permission
from libs.common.targets import dataset_target
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import (
    Registration,
    check_delete_dataset,
    effect_of_register,
)
from services.registry.domain.copies import Version
from services.registry.domain.requests import FileSaid, kinds_of
from services.registry.models import (
    DatasetRow,
    DatasetTagRow,
    DatasetTypeRow,
    FormatRow,
    RepositoryRow,
    TagRow,
    VersionRow,
)
from services.registry.operations.bulk_writes import Changes
from services.registry.operations.vocabularies import REQUIRED, ensure_revisions
from services.registry.queries import registration as queries
from services.registry.queries import visible
from services.registry.queries.registration import Scope, unknown


@dataclass(frozen=True)
class Found:
    """A dataset the caller may change, locked, with what decides about it."""

    row: DatasetRow
    is_protected: bool
    copies: list[queries.KeptCopy]
    target: Target


async def editable(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> Found:
    """A dataset, locked for a change. Raises NotFound, Forbidden."""
    session = table(SESSIONS)
    row = (
        await tx.session.execute(
            sa.select(DatasetRow, visible.tagged(TagRow.protected.is_(True)).label("is_protected"))
            .join(session, session.c.id == DatasetRow.session_id, isouter=True)
            .where(DatasetRow.id == which, visible.datasets(seen))
            .with_for_update(of=DatasetRow)
        )
    ).one_or_none()
    if row is None:
        raise NotFound(f"There is no dataset {which}.")
    dataset = row.DatasetRow
    target = await dataset_target(tx.session, dataset.session_id, dataset.content_type, dataset.object_id)
    if not may_on(by, Permission.REGISTER, target):
        raise Forbidden
    copies = await queries.copies_of(tx.session, [which])
    return Found(dataset, row.is_protected, copies.get(which, []), target)


async def create_dataset(tx: Transaction, by: Principal, seen: Visibility, new: DatasetIn) -> UUID:
    """Write a dataset down without any copy. Raises BadRequest, Forbidden, ProtectedDataset."""
    scope = await _scope(tx, seen, new)
    target = await queries.target_of(tx.session, scope)
    if not may_on(by, Permission.REGISTER, target):
        raise Forbidden
    if not new.name:
        raise BadRequest(fields={"name": REQUIRED})
    folders = "/".join(filter(None, (new.collection, f"#{new.revision}#" if new.revision else None)))
    try:
        collection, revision = parse_inside(folders)
        name = check_plain_name(new.name)
    except AlfError as error:
        raise BadRequest(fields={"name": [str(error)]}) from None
    if new.created_by:
        await queries.user_named(tx.session, new.created_by)
    await queries.lock_scope(tx.session, scope)
    known = await queries.registered(tx.session, scope, {name})
    if any((one.collection, one.revision) == (collection, revision) for one in known):
        raise Conflict("This dataset is registered already: change it, or register its file again.")
    await ensure_revisions(tx, {revision} - {""})
    row = DatasetRow(
        id=uuid4(),
        session_id=scope.session_id,
        lab_path=scope.folder,
        collection=collection,
        revision=revision,
        name=name,
        created_by=new.created_by or by.username,
        is_default=False,
        generation=1,
        software_version=new.version,
        qc=new.qc or 0,
        json=new.json_,
        **await _kinds(tx, new, name),
    )
    tx.session.add(row)
    await tx.session.flush()
    tx.session.add(VersionRow(dataset_id=row.id, generation=1, size_bytes=new.file_size, md5=new.hash))
    if new.default_dataset is not False:
        await make_default(tx, row)
    if new.tags:
        await _set_tags(tx, by, target, row.id, new.tags)
    tx.audit("dataset.created", "dataset", row.id, after={"name": name, "session": str(scope.session_id)})
    tx.publish(FilesRegistered(session_id=scope.session_id, user_id=by.user_id, dataset_ids=[row.id]))
    return row.id


async def _scope(tx: Transaction, seen: Visibility, new: DatasetIn) -> Scope:
    if new.session:
        found = await queries.session_by_id(tx.session, seen, uuid_of("session", new.session))
    elif new.subject and new.date:
        try:
            day = datetime.fromisoformat(new.date).date()
        except ValueError:
            raise BadRequest(fields={"date": [f"'{new.date}' is not a day such as 2020-08-21."]}) from None
        found = await queries.find_session(tx.session, seen, new.subject, day, new.number or 1)
    else:
        raise BadRequest(fields={"session": ["Give the session, or subject, date and number."]})
    if found is None:
        raise unknown("session", "id", new.session or f"{new.subject}/{new.date}/{new.number}")
    return found


async def _kinds(tx: Transaction, new: DatasetIn, name: str) -> dict[str, UUID]:
    types, type_ids = await queries.types_known(tx.session)
    extensions = await queries.formats_known(tx.session)
    if new.dataset_type is not None and new.data_format is not None:
        return {
            "dataset_type_id": await _word(tx, DatasetTypeRow, "dataset_type", new.dataset_type),
            "format_id": await _word(tx, FormatRow, "data_format", new.data_format),
        }
    ((kind, extension),) = kinds_of([FileSaid("", "", name, None, None, None, None)], types, list(extensions))
    return {"dataset_type_id": type_ids[kind], "format_id": extensions[extension]}


async def _word(tx: Transaction, kind: Any, field: str, name: str) -> UUID:
    found = await tx.session.scalar(sa.select(kind.id).where(kind.name == name))
    if found is None:
        raise unknown(field, "name", name)
    return UUID(str(found))


async def make_default(tx: Transaction, row: DatasetRow) -> None:
    """This revision becomes what clients get when they ask for none."""
    connection = await tx.session.connection()
    await connection.execute(
        sa.update(DatasetRow)
        .where(
            DatasetRow.session_id.is_not_distinct_from(row.session_id),
            DatasetRow.object_id.is_not_distinct_from(row.object_id),
            DatasetRow.collection == row.collection,
            DatasetRow.name == row.name,
            DatasetRow.deleted_at.is_(None),
        )
        .values(is_default=DatasetRow.id == row.id)
    )


async def change_dataset(
    tx: Transaction, by: Principal, seen: Visibility, which: UUID, body: DatasetIn
) -> None:
    """Change a dataset's annotations; another hash or size is a new version, as registering the file again."""
    found = await editable(tx, by, seen, which)
    given = body.model_fields_set
    fields: dict[str, Any] = {}
    if body.qc is not None:
        fields["qc"] = body.qc
    if "version" in given:
        fields["software_version"] = body.version
    if "json_" in given:
        fields["json"] = body.json_
    if body.created_by:
        await queries.user_named(tx.session, body.created_by)
        fields["created_by"] = body.created_by
    if body.dataset_type is not None:
        fields["dataset_type_id"] = await _word(tx, DatasetTypeRow, "dataset_type", body.dataset_type)
    if body.data_format is not None:
        fields["format_id"] = await _word(tx, FormatRow, "data_format", body.data_format)
    if fields:
        fields["auto_datetime"] = datetime.now(UTC)
    apply(tx, "dataset", found.row, fields)
    await tx.session.flush()
    if body.hash is not None or body.file_size is not None:
        await _other_bytes(tx, found, body)
    if body.default_dataset:
        await make_default(tx, found.row)
    elif body.default_dataset is False:
        apply(tx, "dataset", found.row, {"is_default": False})
    if body.tags is not None:
        await _set_tags(tx, by, found.target, which, body.tags)


async def _other_bytes(tx: Transaction, found: Found, body: DatasetIn) -> None:
    version = await tx.session.scalar(
        sa.select(VersionRow).where(
            VersionRow.dataset_id == found.row.id, VersionRow.generation == found.row.generation
        )
    )
    if version is None:
        raise NotFound
    before = Version(version.generation, version.size_bytes, version.md5, version.sha256)
    same = (body.hash in {None, before.md5}) and (body.file_size in {None, before.size_bytes})
    if same:
        return
    if version.sha256 is None and body.hash in {None, before.md5} and before.size_bytes is None:
        version.size_bytes = body.file_size
        return
    said = Registration(body.file_size, body.hash, exists=False)
    copies = [kept.copy for kept in found.copies]
    effect = effect_of_register(before, copies, said, [], is_protected=found.is_protected)
    places = await tx.session.execute(sa.select(RepositoryRow.name, RepositoryRow.id))
    changes = Changes({row.name: row.id for row in places})
    changes.note(found.row.id, before, found.copies, effect)
    await changes.write(tx)


async def _set_tags(tx: Transaction, by: Principal, target: Target, which: UUID, names: list[str]) -> None:
    """Let a dataset carry exactly these tags. Only administrators give or take protecting and public ones."""
    wanted = {
        row.name: row
        for row in (await tx.session.execute(sa.select(TagRow).where(TagRow.name.in_(names)))).scalars()
    }
    for name in names:
        if name not in wanted:
            raise unknown("tags", "name", name)
    carried = await tx.session.execute(
        sa.select(TagRow)
        .join(DatasetTagRow, DatasetTagRow.tag_id == TagRow.id)
        .where(DatasetTagRow.dataset_id == which)
    )
    before = {row.name: row for row in carried.scalars()}
    touched = [row for row in (wanted | before).values() if (row.name in wanted) != (row.name in before)]
    if any(row.protected or row.public for row in touched) and not may_on(by, Permission.ADMIN, target):
        raise Forbidden("Only administrators give or take tags that protect or publish datasets.")
    connection = await tx.session.connection()
    ids = [row.id for row in wanted.values()]
    await connection.execute(
        sa.delete(DatasetTagRow).where(DatasetTagRow.dataset_id == which, DatasetTagRow.tag_id.not_in(ids))
    )
    if ids:
        rows = [{"dataset_id": which, "tag_id": i} for i in ids]
        await connection.execute(insert(DatasetTagRow).values(rows).on_conflict_do_nothing())
    if touched:
        tags = {"before": {"tags": sorted(before)}, "after": {"tags": sorted(wanted)}}
        tx.audit("dataset.tagged", "dataset", which, **tags)


async def delete_dataset(tx: Transaction, by: Principal, seen: Visibility, which: UUID) -> None:
    """Take a dataset out of sight; it can be brought back for 30 days, and its copies stay as they are."""
    found = await editable(tx, by, seen, which)
    check_delete_dataset(is_protected=found.is_protected)
    found.row.deleted_at = datetime.now(UTC)
    tx.audit("dataset.deleted", "dataset", which, before={"name": found.row.name})
    tx.publish(FilesRegistered(session_id=found.row.session_id, user_id=None, dataset_ids=[which]))
