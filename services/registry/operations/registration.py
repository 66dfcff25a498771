"""Registration of files as datasets, one transaction per request. CPU-bound work on large requests runs in a thread."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

from libs.common.db import ReadSession, Transaction
from libs.common.events import FilesRegistered, ProofOrdered
from libs.common.permissions import Principal, may_on
from libs.common.problem import BadRequest, Forbidden, UnknownReference
from libs.common.schemas.files.registration import RegisterFiles
from libs.common.schemas.states import ContentType
from libs.common.scopes import Permission
from libs.common.threads import computed
from libs.common.visibility import Visibility
from services.registry.domain.alyx_calls import (
    ProtectedDataset,
    Registration,
    RepositoryTarget,
    effect_of_register,
)
from services.registry.domain.authors import Author, author_columns, author_of_body
from services.registry.domain.requests import (
    FileKey,
    RequestedFile,
    check_below,
    lone_files,
    match_kinds,
    parse_files,
    parse_session_path,
)
from services.registry.domain.sessions import SessionName
from services.registry.models import DatasetRow
from services.registry.operations.bulk_writes import BulkWrites
from services.registry.operations.dataset_types import fetch_types_of_files
from services.registry.operations.default_revisions import set_default_revisions
from services.registry.operations.new_names import check_new_names
from services.registry.operations.registration_targets import fetch_targets
from services.registry.operations.taken_paths import check_files_free
from services.registry.queries import registration as queries
from services.registry.queries.aggregates import fetch_aggregate_scope
from services.registry.queries.bulk_writes import insert_rows, update_rows
from services.registry.queries.copies import fetch_copies_of_datasets
from services.registry.queries.datasets import ShownDataset, fetch_datasets_in_order
from services.registry.queries.known_files import KnownDataset, fetch_known_datasets, fetch_known_files
from services.registry.queries.registration import RegistrationScope
from services.registry.queries.registration_locks import lock_registrations
from services.registry.queries.vocabularies import insert_missing_revisions


@dataclass(frozen=True)
class RegistrationResult:
    """The datasets of a registration in the order of its files, and the usernames to show for its session.

    n_twins   how many other sessions of its subject, day and number there are
    """

    datasets: list[ShownDataset]
    usernames: list[str]
    n_twins: int


async def register_files(
    tx: Transaction, by: Principal, visibility: Visibility, request: RegisterFiles, *, creates_types: bool
) -> RegistrationResult:
    """Register files of one session, or of another object. Raises BadRequest, Forbidden, ProtectedDataset."""
    files = await computed(len(request.filenames), lambda: parse_files(request))
    scope = await fetch_scope(tx.session, visibility, request, files)
    check_below(files, scope.below)
    await lock_registrations(tx.session, scope.owner_id)
    if not may_on(by, Permission.REGISTER, await queries.fetch_target(tx.session, scope)):
        raise Forbidden(
            "You may register files in sessions of your labs, and of subjects you are responsible for, within the "
            "scope of the token in use."
        )
    author, usernames = await _fetch_people(tx, by, scope, request)
    targets, repository_ids = await fetch_targets(tx.session, scope, request)
    known, paths = await fetch_known_files(tx.session, scope, {file.name for file in files})
    if request.check_protected and (details := protected_details(request.filenames, files, known)):
        raise ProtectedDataset(extra={"error": ProtectedDataset.detail, "details": details})
    check_new_names(scope, files, known, paths)
    repositories = [target.repository for target in targets]
    await check_files_free(tx.session, visibility, scope, files, known, repositories)
    ids = await insert_datasets(
        tx, scope, files, known, author, creates_types=creates_types, becomes_default=request.default
    )
    existing = {dataset.key: dataset for dataset in known}
    writes = BulkWrites(repository_ids)
    await _add_effects(tx, request, files, ids, existing, targets, writes)
    await writes.write(tx)
    await set_default_revisions(tx, scope, files, ids, default=request.default, known=known)
    dataset_ids = [ids[file.key] for file in files]
    _publish(tx, scope, author.id, dataset_ids, writes.proofs, n_new=len(ids.keys() - existing.keys()))
    datasets = await fetch_datasets_in_order(tx.session, visibility, dataset_ids)
    # The user joins the session by an event, and is shown at once.
    shown = sorted({*usernames, author.username}) if scope.session_id else []
    return RegistrationResult(datasets, shown, scope.n_twins)


def _publish(
    tx: Transaction,
    scope: RegistrationScope,
    user_id: UUID,
    dataset_ids: Sequence[UUID],
    proofs: Sequence[UUID],
    *,
    n_new: int,
) -> None:
    """Audit and publish a registration."""
    tx.audit(
        "files.registered",
        ContentType.SESSION if scope.session_id else scope.content_type or "",
        scope.owner_id or "",
        after={"files": len(dataset_ids), "new": n_new},
    )
    tx.publish(
        FilesRegistered(
            session_id=scope.session_id, user_id=user_id, dataset_ids=[*dataset_ids], only_added=True
        )
    )
    if proofs:
        tx.publish(ProofOrdered(copy_ids=[*proofs]))


async def _fetch_people(
    tx: Transaction, by: Principal, scope: RegistrationScope, request: RegisterFiles
) -> tuple[Author, list[str]]:
    """The user that the files are of, and the usernames of the session's users. Raises BadRequest."""
    named_id, usernames = await queries.fetch_people(tx.session, request.created_by, scope.session_id)
    if request.created_by and named_id is None:
        raise UnknownReference("created_by", request.created_by, key="username")
    return author_of_body(by, request.created_by, named_id), usernames


async def check_protected(
    session: ReadSession, visibility: Visibility, request: RegisterFiles
) -> list[dict[str, list[dict[str, bool]]]]:
    """Which files of a request are protected; empty if none are."""
    files = await computed(len(request.filenames), lambda: parse_files(request))
    scope = await fetch_scope(session, visibility, request, files)
    names = {file.name for file in files}
    known = await fetch_known_datasets(session, scope, names, public_only=visibility.public_only)
    return protected_details(request.filenames, files, known)


def protected_details(
    filenames: Sequence[str], files: Sequence[RequestedFile], known: Sequence[KnownDataset]
) -> list[dict[str, list[dict[str, bool]]]]:
    """{file as sent: [{revision: protected}, … newest first]} of each file; empty if nothing is protected."""
    revisions: dict[tuple[str, str], list[dict[str, bool]]] = {}
    for dataset in known:
        key = dataset.collection, dataset.name
        revisions.setdefault(key, []).append({dataset.revision: dataset.is_protected})
    by_file = [revisions.get((file.collection, file.name), []) for file in files]
    if not any(flag for flags in by_file for revision in flags for flag in revision.values()):
        return []
    return [{filename: flags} for filename, flags in zip(filenames, by_file, strict=True)]


async def fetch_scope(
    session: ReadSession, visibility: Visibility, request: RegisterFiles, files: Sequence[RequestedFile]
) -> RegistrationScope:
    """The session or object of a request. Raises BadRequest if it does not exist, AmbiguousName if several do."""
    kind = ContentType.name_in(request.content_type or ContentType.SESSION)
    if kind != ContentType.SESSION:
        if request.object_id is None:
            raise BadRequest(fields={"object_id": ["A content type needs the id of the object."]})
        return await fetch_aggregate_scope(session, visibility, kind, request.object_id)
    if request.object_id is not None:
        scope = await queries.find_session_by_id(session, visibility, request.object_id)
    else:
        path = parse_session_path(request)
        labs = [*(request.labs or []), *(request.projects or [])]
        name, keys = SessionName(path.subject, path.date, path.number), [file.key for file in files]
        scope = await queries.find_session_by_path(session, visibility, name, labs, keys, field="path")
    if scope is None:
        raise BadRequest(fields={"path": [f"There is no session '{request.path}': create it first."]})
    return scope


async def insert_datasets(
    tx: Transaction,
    scope: RegistrationScope,
    files: Sequence[RequestedFile],
    known: Sequence[KnownDataset],
    author: Author | None,
    *,
    creates_types: bool,
    becomes_default: bool,
) -> dict[FileKey, UUID]:
    """The dataset of each file; those that do not exist yet are created, with `creates_types` their types too.

    becomes_default   a file without other revisions is the default one at once; `set_default_revisions` does the rest
    """
    types, type_ids, format_ids = await fetch_types_of_files(
        tx, [file.name for file in files], author, creates_types=creates_types
    )
    kinds = await computed(len(files), lambda: match_kinds(files, types, list(format_ids)))
    await insert_missing_revisions(tx.session, {file.revision for file in files if file.revision})
    ids = {dataset.key: dataset.id for dataset in known}
    registered_again = [(ids[file.key], file) for file in files if file.key in ids]
    shared = {
        "session_id": scope.session_id,
        "content_type": scope.content_type,
        "object_id": scope.object_id,
        "lab_path": scope.folder,
        **author_columns(author),
    }
    lone = lone_files(files, known) if becomes_default else set()
    terms = [(type_ids[kind], format_ids[extension]) for kind, extension in kinds]
    rows = await computed(len(files), lambda: _new_rows(files, terms, ids, shared, lone))
    await insert_rows(tx.session, DatasetRow, rows)
    await _update_datasets(tx, registered_again, author)
    return ids


def _new_rows(
    files: Sequence[RequestedFile],
    terms: Sequence[tuple[UUID, UUID]],
    ids: dict[FileKey, UUID],
    shared: Mapping[str, object],
    defaults: Collection[FileKey],
) -> list[dict[str, object]]:
    """Rows of the files that have no dataset yet; their new ids are added to `ids`.

    terms     dataset type and format of each file
    shared    columns that are the same in all rows
    defaults  files that are the default revision of theirs
    """
    rows: list[dict[str, object]] = []
    for file, (type_id, format_id) in zip(files, terms, strict=True):
        if file.key in ids:
            continue
        ids[file.key] = file.import_id or uuid4()
        rows.append(
            {
                **shared,
                "id": ids[file.key],
                "collection": file.collection,
                "revision": file.revision,
                "name": file.name,
                "dataset_type_id": type_id,
                "format_id": format_id,
                "software_version": file.software_version,
                "qc": file.qc or 0,
                "is_default": file.key in defaults,
            }
        )
    return rows


async def _update_datasets(
    tx: Transaction, files: Sequence[tuple[UUID, RequestedFile]], author: Author | None
) -> None:
    """Datasets registered again: by whom and when; QC and software version if present."""
    now = datetime.now(UTC)
    again = {**author_columns(author), "auto_datetime": now}
    users = [{"id": dataset_id, **again} for dataset_id, _ in files]
    qcs = [{"id": dataset_id, "qc": file.qc} for dataset_id, file in files if file.qc is not None]
    versions = [
        {"id": dataset_id, "software_version": file.software_version}
        for dataset_id, file in files
        if file.software_version is not None
    ]
    for rows in (users, qcs, versions):
        await update_rows(tx.session, DatasetRow, rows, "id")


async def _add_effects(
    tx: Transaction,
    request: RegisterFiles,
    files: Sequence[RequestedFile],
    ids: Mapping[FileKey, UUID],
    existing: Mapping[FileKey, KnownDataset],
    targets: Sequence[RepositoryTarget],
    writes: BulkWrites,
) -> None:
    """Add what the registration changes to the rows to write."""
    keys = {file.key for file in files}
    touched = [dataset.id for key, dataset in existing.items() if key in keys]
    stored = await fetch_copies_of_datasets(tx.session, touched)

    def add_all() -> None:
        for file in files:
            dataset_id, before = ids[file.key], existing.get(file.key)
            version = before.version if before else None
            copies = stored.get(dataset_id, [])
            effect = effect_of_register(
                version,
                [row.copy for row in copies],
                Registration(file.size_bytes, file.md5, request.exists, request.server_only),
                targets,
                is_protected=before.is_protected if before else False,
            )
            writes.add(dataset_id, version, copies, effect)

    await computed(len(files), add_all)
