"""Signing in, who am I, tokens."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, Field
from sqlalchemy.ext.asyncio import AsyncSession

from libs.common.address import CallerAddress
from libs.common.auth import Reader, open_to_all
from libs.common.db import CheckedRoute, IdempotentRoute, Reading, Tx, shows_a_secret
from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden, NotFound, ShownOnce, problems
from libs.common.schemas import BodySchema, Record, Schema
from services.metadata.models import TokenRow
from services.metadata.operations import identity as operations
from services.metadata.operations.hashing import SignInsWait
from services.metadata.operations.identity import TokenNeeded
from services.metadata.operations.scopes import scopes_shown
from services.metadata.operations.sign_in import BadCredentials, SignInLater
from services.metadata.queries import identity as people
from services.metadata.settings import Settings

router = APIRouter(route_class=IdempotentRoute, tags=["identity"])
signing_in = APIRouter(route_class=CheckedRoute, tags=["identity"])  # the same at every call, and never kept


class AuthToken(Record):
    """The token of a log-in, and nothing else: clients take the whole answer for it."""

    token: str


class Credentials(Record):
    """What one signs in with; as JSON or as a form."""

    username: str
    password: str


class Me(Record):
    """Who the caller is."""

    id: UUID
    username: str
    email: str
    is_superuser: bool
    is_stock_manager: bool
    is_public_user: bool
    scopes: list[str] | None = Field(description="null: all that the user may do")


class TokenIn(BodySchema):
    """A token to be made."""

    name: str = Field(min_length=1, max_length=100, description="what it is for")
    scopes: list[str] = Field(
        min_length=1,
        max_length=100,
        description="labs and projects by name or id; `prove` only for a worker, and within its repository",
        examples=[["read", "register"], ["lab:hilllab:write"], ["repository:lab_server:prove"]],
    )
    kind: Literal["personal", "worker"] = "personal"
    expires_at: AwareDatetime | None = None


class Token(Schema):
    """A token without its text."""

    id: UUID
    name: str
    kind: str
    scopes: list[str] | None = Field(
        description="null: all that the user may do; labs, projects and repositories by name, where that can be known"
    )
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewToken(Token):
    """A token just made: its text is shown this once."""

    token: str


async def _credentials(request: Request) -> Credentials:
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            sent = orjson.loads(await request.body())  # refuses what is nested too deep, where json overflows
        else:
            sent = dict(await request.form())
        return Credentials(username=sent["username"], password=sent["password"])
    except (KeyError, TypeError, ValueError):
        missing = ["This field is required."]
        raise BadRequest(fields={"username": missing, "password": missing}) from None


@signing_in.post(
    "/auth-token",
    responses=problems(BadCredentials, TokenNeeded, SignInLater, SignInsWait),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                media: {"schema": Credentials.model_json_schema()}
                for media in ("application/json", "application/x-www-form-urlencoded")
            },
        }
    },
)
@open_to_all
async def auth_token(
    request: Request,
    credentials: Annotated[Credentials, Depends(_credentials)],
    address: CallerAddress,
) -> AuthToken:
    """Sign in. The token is the same at every log-in until it is revoked."""
    given = credentials.username, credentials.password
    return AuthToken(token=await operations.log_in(request.app.state.sign_ins, *given, address))


@router.get("/me")
async def me(by: Reader, read: Reading) -> Me:
    """Who the caller is, and what the token in use allows."""
    user = await people.user_by_id(read, by.user_id)
    if user is None:
        raise NotFound
    held = None if by.scopes is None else sorted(str(scope) for scope in by.scopes)
    (scopes,) = await scopes_shown(read, by, [held])
    return Me.model_validate(
        {name: getattr(user, name) for name in Me.model_fields if name != "scopes"} | {"scopes": scopes}
    )


@router.get("/tokens")
async def tokens(by: Reader, read: Reading) -> list[Token]:
    """The caller's own tokens, newest first; a narrowed token shows those that reach no further than itself."""
    return await _shown(read, by, await operations.own_tokens(read, by))


@router.post("/tokens", status_code=201, responses=problems(Forbidden, BadRequest, ShownOnce))
@shows_a_secret
async def make_token(request: Request, new: TokenIn, by: Reader, tx: Tx) -> NewToken:
    """Make a token for a script or a machine; it can only narrow what its maker may do."""
    settings: Settings = request.app.state.settings
    row, text = await operations.make_token(
        tx,
        by,
        settings.secret_key.get_secret_value(),
        name=new.name,
        scopes=new.scopes,
        kind=new.kind,
        expires_at=new.expires_at,
    )
    (shown,) = await _shown(tx.session, by, [row])
    return NewToken(token=text, **shown.model_dump())


async def _shown(read: AsyncSession, by: Principal, rows: Sequence[TokenRow]) -> list[Token]:
    """Tokens, with names in their scopes."""
    scopes = await scopes_shown(read, by, [row.scopes for row in rows])
    tokens = [Token.model_validate(row) for row in rows]
    return [token.model_copy(update={"scopes": found}) for token, found in zip(tokens, scopes, strict=True)]


@router.delete("/tokens/{token_id}", status_code=204, responses=problems(NotFound, Forbidden))
async def revoke_token(token_id: UUID, by: Reader, tx: Tx) -> Response:
    """Revoke one of the caller's own tokens; the gateway forgets it within 5 s."""
    await operations.revoke_token(tx, by, token_id)
    return Response(status_code=204)
