"""Releases: drafted, checked, published, withdrawn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid4

from cingulum.manifests import InvalidManifest, Manifest, ManifestEntry, build_manifest, parse_manifest
from cingulum.manifests.descriptions import About
from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.rows import create_row, refuse_duplicate, update_row
from libs.common.permissions import Principal, Target, in_scope, may_on
from libs.common.problem import BadRequest, Conflict, Forbidden
from libs.common.protection import lock_deletions
from libs.common.schemas.files.data_notices import DataNoticeIn, Importance
from libs.common.schemas.releases import (
    CheckIn,
    DatasetChoice,
    DraftDatasetsIn,
    PublishIn,
    Readiness,
    Release,
    ReleaseChange,
    ReleaseIn,
    ReleaseState,
)
from libs.common.scopes import Permission
from libs.common.targets import fetch_object_target, fetch_session_targets
from libs.common.visibility import Visibility
from services.registry.domain.releases import (
    ReleaseWithdrawn,
    assess,
    check_acceptable,
    check_ready,
    check_state,
)
from services.registry.models import ReleaseRow
from services.registry.operations.data_notices import notify
from services.registry.operations.exports import parse_search
from services.registry.operations.release_keys import check_signature
from services.registry.queries import releases as queries
from services.registry.queries.registration_locks import lock_registrations
from services.registry.queries.release_choice import fetch_chosen_datasets
from services.registry.queries.release_consents import delete_consents, fetch_consents, upsert_consent
from services.registry.queries.release_readiness import fetch_candidates

NOUN = "release"
Description = Callable[[About, Manifest], dict[str, Any]]
_OPEN = frozenset({ReleaseState.DRAFT, ReleaseState.CHECKED})
_SIGNABLE = frozenset({ReleaseState.CHECKED, ReleaseState.EMBARGOED})


async def create_release(tx: Transaction, by: Principal, visibility: Visibility, body: ReleaseIn) -> Release:
    """Create a draft; its creator consents to it. Raises BadRequest, Conflict, Forbidden."""
    await refuse_duplicate(tx.session, ReleaseRow.name, body.name)
    dataset_ids = await choose_datasets(tx.session, visibility, body)
    if not dataset_ids:
        raise BadRequest("No dataset is chosen: name datasets, sessions, a tag or a search.")
    values = body.model_dump(mode="json", exclude=set(DatasetChoice.model_fields))
    row = ReleaseRow(id=uuid4(), created_by_id=by.user_id, **values)
    await create_row(tx, NOUN, row, values | {"n_datasets": len(dataset_ids)})
    await queries.create_datasets(tx.session, row.id, dataset_ids)
    await upsert_consent(tx.session, row.id, by.user_id)
    await check_may_release(tx.session, by, row.id)
    return await queries.fetch_release(tx.session, visibility, body.name)


async def choose_datasets(session: ReadSession, visibility: Visibility, choice: DatasetChoice) -> list[UUID]:
    """Ids of visible datasets. Raises BadRequest, UnknownReference."""
    return await fetch_chosen_datasets(
        session,
        visibility,
        dataset_ids=choice.datasets,
        session_ids=choice.sessions,
        tag=choice.tag,
        search=parse_search(choice.search, visibility),
    )


async def change_datasets(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: DraftDatasetsIn
) -> Release:
    """Change what is in a draft. Who had consented does so again if something is added.

    Raises NotFound, BadRequest, Forbidden, Conflict.
    """
    row, state = await lock_own(tx, by, visibility, name)
    check_state(state, {ReleaseState.DRAFT})
    added = await choose_datasets(tx.session, visibility, body.add)
    n_added = await queries.create_datasets(tx.session, row.id, added)
    remove = body.remove
    n_removed = await queries.delete_datasets(tx.session, row.id, remove.datasets, remove.sessions)
    if not await queries.fetch_dataset_ids(tx.session, row.id):
        raise BadRequest("Nothing would be left in the draft: withdraw it instead.")
    if n_added:
        consents = await fetch_consents(tx.session, row.id)
        await delete_consents(tx.session, row.id)
        if by.user_id not in consents.withdrawn:
            await upsert_consent(tx.session, row.id, by.user_id)
    await check_may_release(tx.session, by, row.id)
    tx.audit("release.datasets-changed", NOUN, row.id, after={"added": n_added, "removed": n_removed})
    return await queries.fetch_release(tx.session, visibility, name)


async def change_release(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: ReleaseChange
) -> Release:
    """Change what describes a release, in any state. Raises NotFound, Forbidden."""
    row, _ = await lock_own(tx, by, visibility, name)
    await update_row(tx, NOUN, row, body.model_dump(mode="json", exclude_unset=True, exclude_none=True))
    return await queries.fetch_release(tx.session, visibility, name)


async def read_readiness(session: ReadSession, visibility: Visibility, name: str, copies: int) -> Readiness:
    """What each session of a release lacks. Raises NotFound."""
    release_id, accepted = await queries.fetch_draft(session, visibility, name)
    return await assess_release(session, release_id, accepted, copies, visibility)


async def check_release(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: CheckIn, copies: int
) -> Release:
    """Fix the versions of a draft, or again of a checked release, and protect them. Raises NotReady."""
    check_acceptable(body.accept)
    await lock_deletions(tx.session)
    row, state = await lock_own(tx, by, visibility, name)
    check_state(state, _OPEN)
    await _lock_registrations(tx, row.id)
    await queries.lock_datasets_of_release(tx.session, row.id)
    accepted = sorted({str(kind) for kind in body.accept})
    check_ready(await assess_release(tx.session, row.id, accepted, copies))
    entries = await queries.update_versions(tx.session, row.id)
    now = (await fetch_now(tx.session)).replace(microsecond=0)
    try:
        manifest, text = await asyncio.to_thread(_write_manifest, name, now, entries)
    except InvalidManifest as problem:
        raise Conflict(f"These files cannot lie in one folder: {problem}") from None
    row.manifest, row.signature, row.key_id = text, None, None
    values = {"state": "checked", "checked_at": now, "root": manifest.root, "accepted": accepted}
    await update_row(tx, NOUN, row, values)
    return await queries.fetch_release(tx.session, visibility, name)


async def _lock_registrations(tx: Transaction, release_id: UUID) -> None:
    """A registration that began before is complete, and one that begins later reads that the datasets are protected."""
    session_ids, objects = await queries.fetch_owners(tx.session, release_id)
    owners = {*session_ids, *(object_id for _, object_id in objects if object_id)}
    for owner_id in sorted(owners):
        await lock_registrations(tx.session, owner_id)


def _write_manifest(name: str, created: datetime, entries: list[ManifestEntry]) -> tuple[Manifest, str]:
    manifest = build_manifest(name, created, entries)
    return manifest, manifest.to_bytes().decode()


async def publish_release(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: PublishIn, copies: int
) -> Release:
    """Publish a checked release, at once or after an embargo, of which the end can be moved until then.

    Raises BadRequest for an end that has passed, BadSignature, Conflict, Forbidden, NotFound, NotReady.
    """
    row, state = await lock_own(tx, by, visibility, name)
    check_state(state, _SIGNABLE)
    check_ready(await assess_release(tx.session, row.id, row.accepted, copies))
    _, manifest, _ = await queries.fetch_signed(tx.session, visibility, name)
    key_id = await check_signature(tx.session, (manifest or "").encode(), body.signature)
    now = await fetch_now(tx.session)
    if body.embargo_until is not None and body.embargo_until < now:
        raise BadRequest(
            fields={"embargo_until": ["This time has passed: without one it is public at once."]}
        )
    values = {
        "state": "published",
        "public_from": body.embargo_until or now,
        "published_at": now,
        "key_id": key_id,
        "signature": body.signature,
    }
    await update_row(tx, NOUN, row, values)
    return await queries.fetch_release(tx.session, visibility, name)


async def withdraw_release(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, reason: str
) -> Release:
    """Withdraw a release: its datasets are no longer public or protected by it, and get a notice if it was public.

    Raises NotFound, Forbidden, Conflict.
    """
    row, state = await queries.lock_release(tx.session, visibility, name, with_hidden=True)
    await _check_may_withdraw(tx.session, by, row.id)
    check_state(state, set(ReleaseState) - {ReleaseState.WITHDRAWN})
    values = {"state": "withdrawn", "withdrawn_at": await fetch_now(tx.session), "withdrawn_reason": reason}
    await update_row(tx, NOUN, row, values)
    if state is ReleaseState.PUBLIC:
        notice = DataNoticeIn(
            name=f"Release {name} was withdrawn", description=reason, importance=Importance.ERROR
        )
        await notify(tx, by, notice, await queries.fetch_dataset_ids(tx.session, row.id))
    return await queries.fetch_release(tx.session, visibility, name)


async def read_signed(session: ReadSession, visibility: Visibility, name: str) -> tuple[str, str | None]:
    """Manifest and signature. Raises NotFound, Conflict for a draft, ReleaseWithdrawn."""
    state, manifest, signature = await queries.fetch_signed(session, visibility, name)
    if state is ReleaseState.WITHDRAWN:
        raise ReleaseWithdrawn
    if manifest is None:
        raise Conflict("A draft has no manifest: POST /releases/NAME/check makes it.")
    return manifest, signature


async def describe(
    session: ReadSession, visibility: Visibility, name: str, address: str, write: Description
) -> bytes:
    """A checked release as repositories list it. Raises NotFound, Conflict for a draft, ReleaseWithdrawn."""
    release = await queries.fetch_release(session, visibility, name)
    text, _ = await read_signed(session, visibility, name)
    about = About(
        title=release.title,
        description=release.description,
        authors=release.authors,
        license=release.license,
        doi=release.doi,
        published=release.public_from or await fetch_now(session),
        address=address,
    )
    return await asyncio.to_thread(_write_description, about, text, write)


def _write_description(about: About, text: str, write: Description) -> bytes:
    return json.dumps(write(about, _parse(text)), ensure_ascii=False).encode()


@lru_cache(maxsize=2)
def _parse(text: str) -> Manifest:
    """A manifest of 60,000 files takes seconds to check, and anyone may request the description of a public one."""
    return parse_manifest(text.encode())


async def assess_release(
    session: ReadSession,
    release_id: UUID,
    accepted: list[str],
    copies: int,
    visibility: Visibility | None = None,
) -> Readiness:
    """What each session of a release lacks; what the caller no longer sees is counted without names."""
    candidates = await fetch_candidates(session, release_id, visibility)
    return assess(candidates, await fetch_consents(session, release_id), accepted, copies)


async def lock_own(
    tx: Transaction, by: Principal, visibility: Visibility, name: str
) -> tuple[ReleaseRow, ReleaseState]:
    """A release that the caller may change, locked. Raises NotFound, Forbidden."""
    row, state = await queries.lock_release(tx.session, visibility, name)
    await check_may_release(tx.session, by, row.id)
    return row, state


async def check_may_release(session: ReadSession, by: Principal, release_id: UUID) -> None:
    """Raises Forbidden unless the caller may release in the lab of every session and object."""
    is_own_draft = await queries.is_draft_of(session, release_id, by.user_id)
    targets = await fetch_targets(session, release_id, with_deleted=not is_own_draft)
    if not all(may_on(by, Permission.RELEASE, target) for target in targets):
        raise Forbidden(
            "Releasing needs the permission `release` in the lab of every session of the release."
        )


async def _check_may_withdraw(session: ReadSession, by: Principal, release_id: UUID) -> None:
    """Raises Forbidden. A draft protects and shows nothing, so its creator may withdraw it whatever changed since."""
    if not await queries.is_draft_of(session, release_id, by.user_id):
        await check_may_release(session, by, release_id)
        return
    targets = await fetch_targets(session, release_id, with_deleted=False)
    if not all(in_scope(by, Permission.RELEASE, target) for target in targets):
        raise Forbidden("This token may not release all that the draft contains.")


async def fetch_targets(session: ReadSession, release_id: UUID, *, with_deleted: bool = True) -> list[Target]:
    """What every session and object of a release belongs to; without `with_deleted` no session that was deleted."""
    session_ids, objects = await queries.fetch_owners(session, release_id)
    existing = await fetch_session_targets(session, session_ids)
    # A session that was deleted belongs to no lab: only an administrator of all may act for it.
    targets = [
        existing.get(session_id, Target())
        for session_id in session_ids
        if with_deleted or session_id in existing
    ]
    return [*targets, *[await fetch_object_target(session, *of) for of in objects]]
