"""Browsers that people signed in with: a session each, which is no token of the API."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from fastapi import APIRouter, Request, Response
from pydantic import Field

from libs.common.address import CallerAddress
from libs.common.auth import Reader, open_to_all
from libs.common.db import Begins, CheckedRoute, Reading, Tx
from libs.common.problem import Forbidden, NotFound, problems
from libs.common.schemas import BodyRecord, Schema
from services.metadata.operations import browser_sessions as operations
from services.metadata.operations import second_factor
from services.metadata.operations.hashing import SignInsWait
from services.metadata.operations.second_factor import BadCode, SecondFactorNeeded
from services.metadata.operations.sign_in import BadCredentials, SignInLater, lock_checked
from services.metadata.queries import browser_sessions as queries

# Not idempotent under a key: what it answers is kept nowhere.
router = APIRouter(route_class=CheckedRoute, tags=["identity"])


class SignInWithBrowser(BodyRecord):
    """Name and password; where a second factor is needed, `challenge` of that refusal and a code instead."""

    username: str = ""
    password: str = ""
    challenge: str = Field(default="", max_length=2000)
    code: str = Field(default="", max_length=100, description="of the authenticator app, or a recovery code")
    browser: str = Field(default="", description="shown in the list of sessions")


class BrowserSession(Schema):
    """A browser that is signed in."""

    id: UUID
    created_at: datetime
    used_at: datetime = Field(description="within a tenth of the idle time")
    idle_until: datetime = Field(description="when it ends if it is not used")
    expires_at: datetime = Field(description="when it ends however much it is used")
    address: str = Field(description="from which it signed in")
    browser: str
    current: bool = Field(default=False, description="whether it is the one that asks")


class NewBrowserSession(BrowserSession):
    """A session just started: its token is shown this once, and goes into a cookie."""

    token: str


@router.post(
    "/browser-sessions",
    status_code=201,
    responses=problems(BadCredentials, SecondFactorNeeded, BadCode, SignInLater, SignInsWait),
)
@open_to_all
async def sign_in(
    request: Request, given: SignInWithBrowser, address: CallerAddress, begin: Begins
) -> NewBrowserSession:
    """Sign a browser in. The token is good in the session cookie only, never as a token of the API."""
    state, checked = request.app.state, None
    if not given.challenge:
        checked, needs_code = await state.sign_ins.check(given.username, given.password, address)
        if needs_code:
            raise SecondFactorNeeded(extra={"challenge": second_factor.challenge_of(state.sign_ins, checked)})
    async with begin() as tx:
        if checked is not None:
            user = await lock_checked(tx, checked)
        else:
            proof = given.challenge, given.code
            user = await second_factor.answer_challenge(tx, state.sign_ins, *proof, address)
        row, token = await operations.start(tx, state.settings, user, address, given.browser)
    shown = BrowserSession.model_validate(row).model_dump() | {"current": True}
    return NewBrowserSession(**shown, token=token)


@router.get("/browser-sessions")
async def list_browser_sessions(by: Reader, read: Reading) -> list[BrowserSession]:
    """The caller's own browser sessions, newest first; of a shared account only the one that asks."""
    rows = await queries.sessions_of(read, by.user_id, by.token_id if by.is_public else None)
    shown = [BrowserSession.model_validate(row) for row in rows]
    return [one.model_copy(update={"current": one.id == by.token_id}) for one in shown]


@router.delete("/browser-sessions", status_code=204, responses=problems(Forbidden))
async def end_other_browser_sessions(by: Reader, tx: Tx) -> Response:
    """Sign all other browsers out."""
    await operations.end_others(tx, by)
    return Response(status_code=204)


@router.delete("/browser-sessions/current", status_code=204, responses=problems(NotFound))
async def sign_out(by: Reader, tx: Tx) -> Response:
    """Sign out the browser that asks."""
    if by.token_id is None:
        raise NotFound("You have no such browser session.")
    await operations.end(tx, by, by.token_id)
    return Response(status_code=204)


@router.delete("/browser-sessions/{session_id}", status_code=204, responses=problems(NotFound, Forbidden))
async def end_browser_session(session_id: UUID, by: Reader, tx: Tx) -> Response:
    """Sign one of the caller's own browsers out; the gateway forgets it within 5 s."""
    await operations.end(tx, by, session_id)
    return Response(status_code=204)


@router.post("/browser-sessions/{session_id}/use", status_code=204, responses=problems(NotFound))
async def use_browser_session(request: Request, session_id: UUID, by: Reader, tx: Tx) -> Response:
    """Keep the session that asks from ending for want of use; the gateway does this now and then."""
    await operations.use(tx, by, session_id, request.app.state.settings)
    return Response(status_code=204)
