"""Whom bytes are for: a copy that registry expects, an attempt of a job. Checked before anything is taken."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.permissions import Principal, Target, in_scope, may_on
from libs.common.problem import BadRequest, Forbidden
from libs.common.schemas.states import AttemptState, CopyState
from libs.common.scopes import Permission
from libs.common.visibility import visibility
from services.transfer.domain import LateToken
from services.transfer.queries import neighbours

_LEAVING = {CopyState.RETIRING, CopyState.RETIRED}


class Refers(Protocol):
    """What says whom its bytes are for."""

    @property
    def copy_id(self) -> UUID | None: ...
    @property
    def job_id(self) -> UUID | None: ...
    @property
    def token(self) -> int | None: ...


async def check(session: AsyncSession, said: Sequence[Refers], by: Principal, kind: str) -> None:
    """Each copy is one of the central store, each attempt is running, and the caller may bring them.

    Raises BadRequest (names the field), Forbidden, LateToken.
    """
    if any((one.job_id is None) != (one.token is None) for one in said):
        raise BadRequest(fields={"token": ["An output names both its job and the attempt's token."]})
    for_nobody = any(one.copy_id is None and one.job_id is None for one in said)
    if for_nobody and not may_on(by, Permission.TRANSFER, Target(responsible_user_id=by.user_id)):
        raise Forbidden(
            "The token in use brings files of its labs and projects only: name the copy (copy_id)."
        )
    copies = {one.copy_id for one in said if one.copy_id is not None}
    if copies:
        await _check_copies(session, copies, by, kind)
    attempts = {(one.token, one.job_id) for one in said if one.token is not None and one.job_id is not None}
    if attempts:
        await _check_attempts(session, attempts, by)


async def _check_copies(session: AsyncSession, ids: set[UUID], by: Principal, kind: str) -> None:
    found = await neighbours.copies(session, ids, visibility(by))
    for which in sorted(ids - set(found)):
        raise BadRequest(fields={"copy_id": [f"Object with id={which} does not exist."]})
    for copy in found.values():
        if not may_on(by, Permission.TRANSFER, copy.target):
            raise Forbidden
        if copy.store != kind:
            raise BadRequest(fields={"copy_id": [f"The copy {copy.id} does not lie in the central store."]})
        if copy.state in _LEAVING:
            raise BadRequest(fields={"copy_id": [f"The copy {copy.id} is to be removed."]})


async def _check_attempts(session: AsyncSession, said: set[tuple[int, UUID]], by: Principal) -> None:
    found = await neighbours.attempts(session, {token for token, _ in said}, visibility(by))
    for token, job_id in said:
        attempt = found.get(token)
        if attempt is None or attempt.job_id != job_id or attempt.state is not AttemptState.RUNNING:
            raise LateToken
        if not may_on(by, Permission.WORK, attempt.target) or not in_scope(
            by, Permission.TRANSFER, attempt.target
        ):
            if not attempt.is_known:
                raise LateToken
            raise Forbidden
