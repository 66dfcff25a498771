"""The caller's authenticator app."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from libs.common.address import CallerAddress
from libs.common.auth import Admin, Reader
from libs.common.db import Begins, CheckedRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas.second_factor import (
    Code,
    Password,
    PasswordAndCode,
    RecoveryCodes,
    SecondFactor,
    SecondFactorSecret,
)
from services.metadata.operations import second_factor as operations
from services.metadata.operations.hashing import HashingQueueFull
from services.metadata.operations.second_factor import BadCode
from services.metadata.operations.sign_in import SignInLater
from services.metadata.queries import second_factor as queries

# Not idempotent under a key: the responses contain secrets, which are not stored.
router = APIRouter(route_class=CheckedRoute, tags=["identity"])


@router.get("/second-factor")
async def read_second_factor(request: Request, by: Reader, session: Reading) -> SecondFactor:
    """Read whether the caller has a second factor."""
    confirmed_at = None if by.is_public else await queries.find_confirmed_at(session, by.user_id)
    return SecondFactor(
        available=request.app.state.settings.second_factor and not by.is_public,
        enabled=confirmed_at is not None,
        confirmed_at=confirmed_at,
        recovery_codes_left=await queries.count_recovery_codes(session, by.user_id) if confirmed_at else 0,
    )


@router.post(
    "/second-factor",
    status_code=201,
    responses=problems(BadRequest, Forbidden, Conflict, SignInLater, HashingQueueFull),
)
async def start_second_factor(
    request: Request, body: Password, by: Reader, address: CallerAddress, begin: Begins
) -> SecondFactorSecret:
    """Add an authenticator app. It has no effect until `/second-factor/confirm` receives a code."""
    state = request.app.state
    factor = await operations.start_second_factor(
        begin, state.settings, state.sign_ins, by, body.password, address
    )
    return SecondFactorSecret(secret=factor.secret, uri=factor.uri)


@router.post("/second-factor/confirm", responses=problems(BadCode, Forbidden, Conflict))
async def confirm_second_factor(request: Request, body: Code, by: Reader, tx: Tx) -> RecoveryCodes:
    """Confirm the app with a code. From then on a password alone gives neither a token nor a browser session."""
    codes = await operations.confirm_second_factor(tx, request.app.state.sign_ins, by, body.code)
    return RecoveryCodes(recovery_codes=codes)


@router.post(
    "/second-factor/remove",
    status_code=204,
    responses=problems(BadRequest, BadCode, Forbidden, NotFound, SignInLater, HashingQueueFull),
)
async def remove_second_factor(
    request: Request, body: PasswordAndCode, by: Reader, address: CallerAddress, begin: Begins
) -> Response:
    """Remove the caller's own authenticator app; needs password and code."""
    sign_ins = request.app.state.sign_ins
    await operations.remove_second_factor(begin, sign_ins, by, body.password, body.code, address)
    return Response(status_code=204)


@router.delete("/second-factor/{username}", status_code=204, responses=problems(NotFound))
async def remove_second_factor_of(username: str, _by: Admin, tx: Tx) -> Response:
    """Remove the authenticator app of a user who lost phone and recovery codes."""
    await operations.remove_second_factor_of(tx, username)
    return Response(status_code=204)
