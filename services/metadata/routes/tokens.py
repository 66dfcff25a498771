"""Log-in, personal and worker tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import orjson
from fastapi import APIRouter, Depends, Request, Response

from libs.common.address import CallerAddress
from libs.common.auth import Reader, open_to_all
from libs.common.db import CheckedRoute, IdempotentRoute, Reading, Tx, returns_secret
from libs.common.db.sessions import ReadSession
from libs.common.permissions import Principal
from libs.common.problem import REQUIRED, BadRequest, Forbidden, NotFound, ShownOnce, problems
from libs.common.schemas.tokens import AuthToken, Credentials, NewToken, Token, TokenIn
from services.metadata.operations import tokens as operations
from services.metadata.operations.hashing import HashingQueueFull
from services.metadata.operations.scopes import scope_texts
from services.metadata.operations.sign_in import BadCredentials, SignInLater
from services.metadata.operations.tokens import TokenNeeded
from services.metadata.queries.tokens import StoredToken
from services.metadata.settings import Settings

router = APIRouter(route_class=IdempotentRoute, tags=["tokens"])


signing_in = APIRouter(route_class=CheckedRoute, tags=["tokens"])  # idempotent by itself, and never stored


async def _credentials(request: Request) -> Credentials:
    try:
        if request.headers.get("content-type", "").startswith("application/json"):
            body = orjson.loads(await request.body())  # refuses deep nesting, where json overflows the stack
        else:
            body = dict(await request.form())
        return Credentials(username=body["username"], password=body["password"])
    except (KeyError, TypeError, ValueError):
        raise BadRequest(fields={"username": REQUIRED, "password": REQUIRED}) from None


@signing_in.post(
    "/auth-token",
    responses=problems(BadCredentials, TokenNeeded, SignInLater, HashingQueueFull),
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
    """Log in. The same token is returned until it is revoked."""
    sign_ins = request.app.state.sign_ins
    token = await operations.log_in(sign_ins, credentials.username, credentials.password, address)
    return AuthToken(token=token)


@router.get("/tokens")
async def tokens(by: Reader, session: Reading) -> list[Token]:
    """List the caller's own tokens, newest first; a token with limited scopes lists only those within its scopes."""
    return await _shown(session, by, await operations.list_tokens(session, by))


@router.post("/tokens", status_code=201, responses=problems(Forbidden, BadRequest, ShownOnce))
@returns_secret
async def make_token(request: Request, new: TokenIn, by: Reader, tx: Tx) -> NewToken:
    """Create a token for a script or a machine, with at most the permissions of its creator."""
    settings: Settings = request.app.state.settings
    token, text = await operations.create_token(
        tx,
        by,
        settings.secret_key.get_secret_value(),
        name=new.name,
        scopes=new.scopes,
        kind=new.kind,
        expires_at=new.expires_at,
    )
    (shown,) = await _shown(tx.session, by, [token])
    return NewToken(token=text, **shown.model_dump())


async def _shown(session: ReadSession, by: Principal, stored: Sequence[StoredToken]) -> list[Token]:
    """Tokens with names in their scopes."""
    scopes = await scope_texts(session, by, [token.scopes for token in stored])
    shown = [Token.model_validate(token) for token in stored]
    return [token.model_copy(update={"scopes": texts}) for token, texts in zip(shown, scopes, strict=True)]


@router.delete("/tokens/{token_id}", status_code=204, responses=problems(NotFound, Forbidden))
async def revoke_token(token_id: UUID, by: Reader, tx: Tx) -> Response:
    """Revoke one of the caller's own tokens; the gateway refuses it within 5 s."""
    await operations.revoke_token(tx, by, token_id)
    return Response(status_code=204)
