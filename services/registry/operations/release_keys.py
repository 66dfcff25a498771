"""Public keys for signatures of releases."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from cingulum.manifests.signatures import (
    InvalidSignature,
    PublicKey,
    parse_public_key,
    signing_key_id,
    verify,
)
from libs.common.db import Transaction, WriteSession
from libs.common.db.rows import create_row, update_row
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict
from libs.common.schemas.release_keys import ReleaseKey, ReleaseKeyIn
from services.registry.domain.releases import BadSignature
from services.registry.models import ReleaseKeyRow
from services.registry.queries import release_keys as queries

NOUN = "release-key"


async def create_key(tx: Transaction, by: Principal, body: ReleaseKeyIn) -> ReleaseKey:
    """Add a public key. Raises BadRequest, Conflict."""
    try:
        key = parse_public_key(body.public_key)
    except InvalidSignature as problem:
        raise BadRequest(fields={"public_key": [str(problem)]}) from None
    if await queries.exists_key(tx.session, key.to_line(), key.hex_id):
        raise Conflict(fields={"public_key": ["This key, or one of its id, was added before."]})
    values = {
        "key_id": key.hex_id,
        "public_key": key.to_line(),
        "name": body.name,
        "created_by_id": by.user_id,
    }
    row = ReleaseKeyRow(id=uuid4(), **values)
    await create_row(tx, NOUN, row, values)
    return await queries.fetch_key(tx.session, row.id)


async def revoke_key(tx: Transaction, key_id: UUID, reason: str) -> ReleaseKey:
    """Revoke a key: it signs no further release. Raises NotFound, Conflict."""
    row = await queries.lock_key(tx.session, key_id)
    if row.revoked_at is not None:
        raise Conflict("The key was revoked before.")
    await update_row(tx, NOUN, row, {"revoked_at": datetime.now(UTC), "revoked_reason": reason})
    return await queries.fetch_key(tx.session, row.id)


async def check_signature(session: WriteSession, manifest: bytes, signature: str) -> str:
    """The id of the valid key that signed a manifest. Raises BadSignature."""
    try:
        key_id = PublicKey(signing_key_id(signature), b"").hex_id
    except InvalidSignature as problem:
        raise _refusal(str(problem)) from None
    public = await queries.find_valid_key(session, key_id)
    if public is None:
        raise _refusal(f"is by the key {key_id}, which is not among the valid ones of GET /release-keys")
    try:
        verify(manifest, signature, parse_public_key(public))
    except InvalidSignature as problem:
        raise _refusal(str(problem)) from None
    return key_id


def _refusal(problem: str) -> BadSignature:
    return BadSignature(fields={"signature": [f"The signature {problem}."]})
