"""What uploads refer to (a copy that registry expects, an attempt of a job), checked before bytes are accepted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from cingulum.stores import StoreKind
from libs.common.db.sessions import ReadSession
from libs.common.permissions import Principal, Target, in_scope, may_on
from libs.common.problem import BadRequest, Forbidden, LateToken, UnknownReference
from libs.common.schemas.states import AttemptState, CopyState
from libs.common.scopes import Permission
from libs.common.visibility import visibility
from services.transfer.queries import references

_LEAVING = {CopyState.RETIRING, CopyState.RETIRED}


class HasReferences(Protocol):
    """A request that names the copy or the attempt its bytes are for."""

    @property
    def copy_id(self) -> UUID | None: ...
    @property
    def job_id(self) -> UUID | None: ...
    @property
    def token(self) -> int | None: ...


async def check_references(
    session: ReadSession, files: Sequence[HasReferences], by: Principal, store_kind: StoreKind
) -> None:
    """Check that each copy is one of the central store, each attempt is running, and the caller may upload for them.

    Raises BadRequest (names the field), Forbidden, LateToken.
    """
    if any((file.job_id is None) != (file.token is None) for file in files):
        raise BadRequest(fields={"token": ["An output needs both its job and the attempt's token."]})
    has_free_file = any(file.copy_id is None and file.job_id is None for file in files)
    if has_free_file and not may_on(by, Permission.TRANSFER, Target(responsible_user_id=by.user_id)):
        raise Forbidden("This token can upload files of its labs and projects only: set copy_id.")
    copy_ids = {file.copy_id for file in files if file.copy_id is not None}
    if copy_ids:
        await _check_copies(session, copy_ids, by, store_kind)
    attempts = {
        (file.token, file.job_id) for file in files if file.token is not None and file.job_id is not None
    }
    if attempts:
        await _check_attempts(session, attempts, by)


async def _check_copies(
    session: ReadSession, copy_ids: set[UUID], by: Principal, store_kind: StoreKind
) -> None:
    copies = await references.fetch_copies(session, copy_ids, visibility(by))
    for copy_id in sorted(copy_ids - set(copies)):
        raise UnknownReference("copy_id", copy_id, key="id")
    for copy in copies.values():
        if not may_on(by, Permission.TRANSFER, copy.target):
            raise Forbidden
        if copy.store != store_kind:
            raise BadRequest(fields={"copy_id": [f"The copy {copy.id} is not in the central store."]})
        if copy.state in _LEAVING:
            raise BadRequest(fields={"copy_id": [f"The copy {copy.id} is to be removed."]})


async def _check_attempts(session: ReadSession, claimed: set[tuple[int, UUID]], by: Principal) -> None:
    attempts = await references.fetch_attempts(session, {token for token, _ in claimed}, visibility(by))
    for token, job_id in claimed:
        attempt = attempts.get(token)
        if attempt is None or attempt.job_id != job_id or attempt.state is not AttemptState.RUNNING:
            raise LateToken
        if not may_on(by, Permission.WORK, attempt.target) or not in_scope(
            by, Permission.TRANSFER, attempt.target
        ):
            if not attempt.is_visible:
                raise LateToken
            raise Forbidden
