"""Links by which reviewers and viewers without an account read a release."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from libs.common.db import ReadSession, Transaction
from libs.common.db.clock import fetch_now
from libs.common.db.rows import create_row, update_row
from libs.common.db.transaction import Begin
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, NotFound
from libs.common.schemas.pages import PageRequest
from libs.common.schemas.release_links import ReleaseLink, ReleaseLinkIn
from libs.common.schemas.releases import ReleaseState
from libs.common.visibility import Visibility, system_visibility
from services.registry.domain.releases import check_state
from services.registry.models import ReleaseLinkRow
from services.registry.operations.release_files import read_file
from services.registry.operations.releases import check_may_release, lock_own
from services.registry.queries import release_links as queries
from services.registry.queries import releases as release_queries
from services.registry.queries.release_files import FileOfRelease
from services.registry.queries.release_links import ValidLink

NOUN = "release-link"
LONGEST: Final = timedelta(days=366)
_READABLE: Final = frozenset({ReleaseState.CHECKED, ReleaseState.EMBARGOED, ReleaseState.PUBLIC})


async def create_link(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, body: ReleaseLinkIn
) -> tuple[ReleaseLink, str]:
    """Create a link to a checked or published release; the link and its token. Raises NotFound, Forbidden, Conflict."""
    release, state = await lock_own(tx, by, visibility, name)
    check_state(state, _READABLE)
    now = await fetch_now(tx.session)
    if not now < body.expires_at <= now + LONGEST:
        raise BadRequest(fields={"expires_at": ["It must be in the future, and at most a year from now."]})
    if body.path is not None and not await queries.exists_file(tx.session, release.id, body.path):
        raise BadRequest(fields={"path": ["The release has no file of this path."]})
    token = secrets.token_urlsafe(32)
    values = {
        "release_id": release.id,
        "label": body.label,
        "path": body.path,
        "expires_at": body.expires_at,
        "created_by_id": by.user_id,
    }
    row = ReleaseLinkRow(id=uuid4(), token_hash=_hash(token), **values)
    await create_row(tx, NOUN, row, values)
    return await queries.fetch_link(tx.session, row.id), token


async def revoke_link(
    tx: Transaction, by: Principal, visibility: Visibility, name: str, link_id: UUID
) -> ReleaseLink:
    """Revoke a link at once. Raises NotFound, Forbidden, Conflict."""
    release, _ = await lock_own(tx, by, visibility, name)
    row = await queries.lock_link(tx.session, release.id, link_id)
    if row.revoked_at is not None:
        raise Conflict("The link was revoked before.")
    await update_row(tx, NOUN, row, {"revoked_at": await fetch_now(tx.session)})
    return await queries.fetch_link(tx.session, link_id)


async def list_links(
    session: ReadSession, by: Principal, visibility: Visibility, name: str, paging: PageRequest
) -> tuple[int, list[ReleaseLink]]:
    """The links of a release, for those who may release it. Raises NotFound, Forbidden."""
    release_id, _ = await release_queries.fetch_draft(session, visibility, name)
    await check_may_release(session, by, release_id)
    return await queries.list_links(session, release_id, paging)


async def read_link(session: ReadSession, token: str) -> ValidLink:
    """The link of a token. Raises NotFound, in one way for unknown, revoked and expired ones."""
    link = await queries.find_valid_link(session, _hash(token))
    if link is None:
        raise NotFound("There is no such link, or it has ended.")
    return link


async def read_link_to_all(session: ReadSession, token: str) -> ValidLink:
    """The link of a token, if it is to a whole release. Raises NotFound."""
    link = await read_link(session, token)
    if link.path is not None:
        raise NotFound("The link is for one file.")
    return link


async def read_linked_manifest(session: ReadSession, link: ValidLink) -> str:
    """The manifest of the release of a link."""
    _, manifest, _ = await release_queries.fetch_signed(session, system_visibility(), link.name)
    return manifest or ""


async def read_linked_file(
    session: ReadSession, link: ValidLink, path: str, store: str
) -> tuple[FileOfRelease, str]:
    """A file that a link lets read, and its SHA-256. Raises NotFound, DatasetPulled."""
    if link.path not in {None, path}:
        raise NotFound("There is no such file behind the link.")
    return await read_file(session, system_visibility(), link.name, path, store)


async def count_use(begin: Begin, link: ValidLink) -> None:
    """Count that a link was used."""
    async with begin() as tx:
        await queries.update_uses(tx.session, link.id)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
