"""A person's authenticator app."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.common.address import CallerAddress
from libs.common.auth import Admin, Reader
from libs.common.db import Begins, CheckedRoute, Reading, Tx
from libs.common.problem import BadRequest, Conflict, Forbidden, NotFound, problems
from libs.common.schemas import BodySchema, Schema
from services.metadata.operations import second_factor as operations
from services.metadata.operations.hashing import SignInsWait
from services.metadata.operations.second_factor import BadCode
from services.metadata.operations.sign_in import SignInLater
from services.metadata.queries import second_factor as queries

# Not idempotent under a key: what these answer is kept nowhere.
router = APIRouter(route_class=CheckedRoute, tags=["identity"])


class SecondFactor(Schema):
    """Whether signing in with a browser asks for a code."""

    available: bool = Field(description="whether this installation lets people add an app")
    enabled: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


class Password(BodySchema):
    """The caller's own password, once more."""

    password: str = Field(max_length=1024)


class SecondFactorSecret(Schema):
    """What an authenticator app needs, shown this once."""

    secret: str = Field(description="base32, to be typed in")
    uri: str = Field(description="otpauth://, as QR codes hold it")


class Code(BodySchema):
    """A code of the app."""

    code: str = Field(max_length=100)


class RecoveryCodes(Schema):
    """Each lets its owner in once, in place of a code of the app. Shown this once."""

    recovery_codes: list[str]


class PasswordAndCode(Password, Code):
    """Both factors."""


@router.get("/second-factor")
async def read_second_factor(request: Request, by: Reader, read: Reading) -> SecondFactor:
    """Whether the caller signs in with a code as well."""
    row = None if by.is_public else await queries.of(read, by.user_id)
    confirmed_at = row.confirmed_at if row else None
    return SecondFactor(
        available=request.app.state.settings.second_factor and not by.is_public,
        enabled=confirmed_at is not None,
        confirmed_at=confirmed_at,
        recovery_codes_left=await queries.recovery_codes_left(read, by.user_id) if confirmed_at else 0,
    )


@router.post(
    "/second-factor",
    status_code=201,
    responses=problems(BadRequest, Forbidden, Conflict, SignInLater, SignInsWait),
)
async def start_second_factor(
    request: Request, given: Password, by: Reader, address: CallerAddress, begin: Begins
) -> SecondFactorSecret:
    """Begin to add an authenticator app. It counts once `/second-factor/confirm` got a code of it."""
    state = request.app.state
    made = await operations.start(begin, state.settings, state.sign_ins, by, given.password, address)
    return SecondFactorSecret(secret=made.secret, uri=made.uri)


@router.post("/second-factor/confirm", responses=problems(BadCode, Forbidden, Conflict))
async def confirm_second_factor(request: Request, given: Code, by: Reader, tx: Tx) -> RecoveryCodes:
    """Confirm the app by a code of it. From now on a password alone gets no token and no browser session."""
    codes = await operations.confirm(tx, request.app.state.sign_ins, by, given.code)
    return RecoveryCodes(recovery_codes=codes)


@router.post(
    "/second-factor/remove",
    status_code=204,
    responses=problems(BadRequest, BadCode, Forbidden, NotFound, SignInLater, SignInsWait),
)
async def remove_second_factor(
    request: Request, given: PasswordAndCode, by: Reader, address: CallerAddress, begin: Begins
) -> Response:
    """Take the caller's own app away, with password and code."""
    sign_ins = request.app.state.sign_ins
    await operations.remove(begin, sign_ins, by, given.password, given.code, address)
    return Response(status_code=204)


@router.delete("/second-factor/{username}", status_code=204, responses=problems(NotFound))
async def remove_second_factor_of(username: str, _by: Admin, tx: Tx) -> Response:
    """Take somebody's app away who lost both phone and recovery codes."""
    await operations.remove_of(tx, username)
    return Response(status_code=204)
