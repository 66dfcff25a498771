"""The caller's own password."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from libs.common.address import CallerAddress
from libs.common.auth import Reader
from libs.common.db import Begins, CheckedRoute
from libs.common.problem import BadRequest, Forbidden, problems
from libs.common.schemas.password import PasswordChange
from services.metadata.operations import password as operations
from services.metadata.operations.hashing import HashingQueueFull
from services.metadata.operations.sign_in import SignInLater

# Not idempotent under a key: no digest of a request with a password is stored.
router = APIRouter(route_class=CheckedRoute, tags=["identity"])


@router.post(
    "/password", status_code=204, responses=problems(BadRequest, Forbidden, SignInLater, HashingQueueFull)
)
async def change_password(
    request: Request, change: PasswordChange, by: Reader, address: CallerAddress, begin: Begins
) -> Response:
    """Change the caller's own password. It signs out all browsers and revokes the log-in token and personal tokens."""
    await operations.change_password(
        begin,
        request.app.state.sign_ins,
        by,
        address,
        change.old_password,
        change.new_password,
        keep_tokens=change.keep_tokens,
    )
    return Response(status_code=204)
