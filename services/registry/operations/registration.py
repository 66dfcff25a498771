"""Files become datasets: one transaction a request. What is thought about thousands of files is thought in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.db import Transaction
from libs.common.events import FilesRegistered, ProofOrdered
from libs.common.permissions import Principal, may_on
from libs.common.problem import BadRequest, Forbidden
from libs.common.schemas.files.registration import RegisterFiles
from libs.common.scopes import Permission
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import (
    ProtectedDataset,
    Registration,
    Target,
    effect_of_register,
)
from services.registry.domain.requests import FileSaid, check_below, files_said, kinds_of, session_said
from services.registry.models import DatasetRow, RepositoryRow
from services.registry.operations.bulk_writes import Changes, insert_all, update_all
from services.registry.operations.vocabularies import ensure_revisions
from services.registry.queries import registration as queries
from services.registry.queries.aggregates import aggregate_scope
from services.registry.queries.registration import Registered, Scope

Key = tuple[str, str, str]


@dataclass(frozen=True)
class Done:
    """What a registration did: its datasets in the order of the files, and whom the answer adds to the session."""

    scope: Scope
    dataset_ids: list[UUID]
    created_by: str


async def register_files(tx: Transaction, by: Principal, seen: Visibility, said: RegisterFiles) -> Done:
    """Register files of one session, or of another object. Raises BadRequest, Forbidden, ProtectedDataset."""
    files = await asyncio.to_thread(files_said, said)
    scope = await scope_said(tx.session, seen, said)
    check_below(files, scope.below)
    if not may_on(by, Permission.REGISTER, await queries.target_of(tx.session, scope)):
        raise Forbidden(
            "You may register files in sessions of your labs, and of animals you are responsible for, as far as the "
            "token in use reaches."
        )
    created_by = said.created_by or by.username
    user_id = await queries.user_named(tx.session, said.created_by) if said.created_by else by.user_id
    repositories, named = await _repositories(tx, scope, said)
    await queries.lock_scope(tx.session, scope)
    known = await queries.registered(tx.session, scope, {file.name for file in files})
    if said.check_protected and (details := protected_details(said.filenames, files, known)):
        raise ProtectedDataset(extra={"error": ProtectedDataset.detail, "details": details})
    targets = [Target(r.name, queries.place_of(r.store), is_named=r.id == named) for r in repositories]
    ids = await datasets_of(tx, scope, files, known, created_by)
    existing = {(row.collection, row.revision, row.name): row for row in known}
    changes = await _effects(tx, said, files, ids, existing, targets)
    await changes.write(tx)
    await set_defaults(tx, scope, files, ids, default=said.default, existing=existing)
    tx.audit(
        "files.registered",
        "session" if scope.session_id else scope.content_type or "",
        scope.session_id or scope.object_id or "",
        after={"files": len(files), "new": len(files) - len(existing.keys() & ids.keys())},
    )
    dataset_ids = [ids[key(file)] for file in files]
    tx.publish(FilesRegistered(session_id=scope.session_id, user_id=user_id, dataset_ids=dataset_ids))
    if changes.proofs:
        tx.publish(ProofOrdered(copy_ids=changes.proofs))
    return Done(scope, dataset_ids, created_by)


async def check_protected(
    read: AsyncSession, seen: Visibility, said: RegisterFiles
) -> list[dict[str, list[dict[str, bool]]]]:
    """What is protected of the files of a request; empty if nothing is, so that all may be written over."""
    files = await asyncio.to_thread(files_said, said)
    scope = await scope_said(read, seen, said)
    names = {file.name for file in files}
    known = await queries.registered(read, scope, names, public_only=seen.public_only)
    return protected_details(said.filenames, files, known)


def protected_details(
    filenames: Sequence[str], files: Sequence[FileSaid], known: Sequence[Registered]
) -> list[dict[str, list[dict[str, bool]]]]:
    """{file as sent: [{revision: protected}, … newest first]} of each file; empty if nothing is protected."""
    revisions: dict[tuple[str, str], list[dict[str, bool]]] = {}
    for row in known:
        revisions.setdefault((row.collection, row.name), []).append({row.revision: row.is_protected})
    found = [revisions.get((file.collection, file.name), []) for file in files]
    if not any(flag for one in found for revision in one for flag in revision.values()):
        return []
    return [{sent: one} for sent, one in zip(filenames, found, strict=True)]


async def scope_said(read: AsyncSession, seen: Visibility, said: RegisterFiles) -> Scope:
    """The session or object that a request names. Raises BadRequest where it is not there."""
    kind = (said.content_type or "session").rpartition(".")[2].lower()
    if kind != "session":
        if said.object_id is None:
            raise BadRequest(fields={"object_id": ["A content type needs the id of the object."]})
        return await aggregate_scope(read, seen, kind, said.object_id)
    if said.object_id is not None:
        found = await queries.session_by_id(read, seen, said.object_id)
    else:
        path = session_said(said)
        labs = [*(said.labs or []), *(said.projects or [])]
        found = await queries.find_session(read, seen, path.subject, path.date, path.number, labs)
    if found is None:
        raise BadRequest(
            fields={"path": [f"No session '{said.path}' is registered: create the session first."]}
        )
    return found


async def _repositories(
    tx: Transaction, scope: Scope, said: RegisterFiles
) -> tuple[list[RepositoryRow], UUID | None]:
    """Where the files get records, and which of these is the one that has them now."""
    labs = [*(said.labs or []), *(said.projects or [])]
    found = await queries.repositories_of(
        tx.session, labs, scope.subject_lab_id, server_only=said.server_only
    )
    named = await queries.repository_named(tx.session, said.name, said.hostname)
    if named is not None and named.id not in {row.id for row in found}:
        found.append(named)
    if scope.session_id is None and named is None:
        raise BadRequest(fields={"name": ["Files of no session need the repository where they are."]})
    return found, named.id if named else None


def key(file: FileSaid) -> Key:
    """What a file is known by in its session."""
    return file.collection, file.revision, file.name


async def datasets_of(
    tx: Transaction,
    scope: Scope,
    files: Sequence[FileSaid],
    known: Sequence[Registered],
    created_by: str | None,
) -> dict[Key, UUID]:
    """The dataset of each file; those that are not there yet are made."""
    types, type_ids = await queries.types_known(tx.session)
    format_ids = await queries.formats_known(tx.session)
    kinds = await asyncio.to_thread(kinds_of, files, types, list(format_ids))
    await ensure_revisions(tx, {file.revision for file in files if file.revision})
    ids = {(row.collection, row.revision, row.name): row.id for row in known}
    old = [(ids[key(file)], file) for file in files if key(file) in ids]
    shared = {
        "session_id": scope.session_id,
        "content_type": scope.content_type,
        "object_id": scope.object_id,
        "lab_path": scope.folder,
        "created_by": created_by,
        "is_default": False,
    }

    def make_new() -> list[dict[str, Any]]:
        new = []
        for file, (kind, extension) in zip(files, kinds, strict=True):
            if key(file) in ids:
                continue
            ids[key(file)] = uuid4()
            new.append(
                {
                    **shared,
                    "id": ids[key(file)],
                    "collection": file.collection,
                    "revision": file.revision,
                    "name": file.name,
                    "dataset_type_id": type_ids[kind],
                    "format_id": format_ids[extension],
                    "software_version": file.software_version,
                    "qc": file.qc or 0,
                }
            )
        return new

    new = await asyncio.to_thread(make_new)
    await insert_all(tx, DatasetRow, new)
    await _renew(tx, old, created_by)
    return ids


async def _renew(tx: Transaction, old: Sequence[tuple[UUID, FileSaid]], created_by: str | None) -> None:
    """Datasets registered again: who did it and when; QC and software version where they are given."""
    now = datetime.now(UTC)
    rows = [{"id": which, "created_by": created_by, "auto_datetime": now} for which, _ in old]
    await update_all(tx, DatasetRow, rows, "id")
    qcs = [{"id": which, "qc": file.qc} for which, file in old if file.qc is not None]
    await update_all(tx, DatasetRow, qcs, "id")
    said = [(which, file.software_version) for which, file in old if file.software_version is not None]
    await update_all(tx, DatasetRow, [{"id": i, "software_version": v} for i, v in said], "id")


async def _effects(
    tx: Transaction,
    said: RegisterFiles,
    files: Sequence[FileSaid],
    ids: Mapping[Key, UUID],
    existing: Mapping[Key, Registered],
    targets: Sequence[Target],
) -> Changes:
    keys = {key(file) for file in files}
    touched = [row.id for place, row in existing.items() if place in keys]
    kept = await queries.copies_of(tx.session, touched)
    places = await tx.session.execute(sa.select(RepositoryRow.name, RepositoryRow.id))
    changes = Changes({row.name: row.id for row in places})

    def note_all() -> None:
        for file in files:
            which, before = ids[key(file)], existing.get(key(file))
            copies = kept.get(which, [])
            effect = effect_of_register(
                before.version if before else None,
                [k.copy for k in copies],
                Registration(file.size_bytes, file.md5, said.exists, said.server_only),
                targets,
                is_protected=before.is_protected if before else False,
            )
            changes.note(which, before.version if before else None, copies, effect)

    await asyncio.to_thread(note_all)
    return changes


async def set_defaults(
    tx: Transaction,
    scope: Scope,
    files: Sequence[FileSaid],
    ids: Mapping[Key, UUID],
    *,
    default: bool,
    existing: Mapping[Key, Registered],
) -> None:
    """These revisions become what clients get when they ask for none (`default`), or stop being it."""
    connection = await tx.session.connection()
    chosen = {(file.collection, file.name): ids[key(file)] for file in files}
    mine = sa.literal(list(chosen.values()), sa.ARRAY(sa.UUID))
    if not default:
        again = [ids[key(file)] for file in files if key(file) in existing]
        await connection.execute(
            sa.update(DatasetRow).where(DatasetRow.id.in_(again)).values(is_default=False)
        )
        return
    siblings = sa.select(
        sa.func.unnest(sa.literal([collection for collection, _ in chosen], sa.ARRAY(sa.Text))),
        sa.func.unnest(sa.literal([name for _, name in chosen], sa.ARRAY(sa.Text))),
    )
    await connection.execute(
        sa.update(DatasetRow)
        .where(
            *queries.within(scope),
            DatasetRow.is_default,
            DatasetRow.id != sa.all_(mine),
            sa.tuple_(DatasetRow.collection, DatasetRow.name).in_(siblings),
        )
        .values(is_default=False)
    )
    await connection.execute(
        sa.update(DatasetRow).where(DatasetRow.id == sa.any_(mine)).values(is_default=True)
    )
