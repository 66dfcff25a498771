"""Browser sessions, whose tokens are valid in the session cookie only."""

from __future__ import annotations

from uuid import UUID

from fastapi import APIRouter, Request, Response

from libs.common.address import CallerAddress
from libs.common.auth import Reader, open_to_all
from libs.common.db import Begins, CheckedRoute, Reading, Tx
from libs.common.problem import Forbidden, NotFound, problems
from libs.common.schemas.browser_sessions import BrowserSession, NewBrowserSession, SignInWithBrowser
from services.metadata.operations import browser_sessions as operations
from services.metadata.operations import second_factor
from services.metadata.operations.hashing import HashingQueueFull
from services.metadata.operations.second_factor import BadCode, SecondFactorNeeded
from services.metadata.operations.sign_in import BadCredentials, SignInLater, lock_checked
from services.metadata.queries import browser_sessions as queries

# Not idempotent under a key: the response contains a secret, which is not stored.
router = APIRouter(route_class=CheckedRoute, tags=["identity"])


@router.post(
    "/browser-sessions",
    status_code=201,
    responses=problems(BadCredentials, SecondFactorNeeded, BadCode, SignInLater, HashingQueueFull),
)
@open_to_all
async def sign_in(
    request: Request, body: SignInWithBrowser, address: CallerAddress, begin: Begins
) -> NewBrowserSession:
    """Sign a browser in. The token is valid in the session cookie only, not as a token of the API."""
    state, checked = request.app.state, None
    if not body.challenge:
        checked, needs_code = await state.sign_ins.check(body.username, body.password, address)
        if needs_code:
            raise SecondFactorNeeded(extra={"challenge": second_factor.challenge_of(state.sign_ins, checked)})
    async with begin() as tx:
        if checked is not None:
            user = await lock_checked(tx, checked)
        else:
            user = await second_factor.answer_challenge(
                tx, state.sign_ins, body.challenge, body.code, address
            )
        stored, token = await operations.start_browser_session(
            tx, state.settings, user.id, address, body.browser
        )
    shown = BrowserSession.model_validate(stored).model_dump() | {"current": True}
    return NewBrowserSession(**shown, token=token)


@router.get("/browser-sessions")
async def list_browser_sessions(by: Reader, session: Reading) -> list[BrowserSession]:
    """List the caller's own browser sessions, newest first; for a shared account only the one in use."""
    only = by.token_id if by.is_public else None
    stored = await queries.list_browser_sessions(session, by.user_id, only)
    shown = [BrowserSession.model_validate(browser_session) for browser_session in stored]
    return [
        browser_session.model_copy(update={"current": browser_session.id == by.token_id})
        for browser_session in shown
    ]


@router.delete("/browser-sessions", status_code=204, responses=problems(Forbidden))
async def end_other_browser_sessions(by: Reader, tx: Tx) -> Response:
    """Sign out all other browsers of the caller."""
    await operations.end_other_browser_sessions(tx, by)
    return Response(status_code=204)


@router.delete("/browser-sessions/current", status_code=204, responses=problems(NotFound))
async def sign_out(by: Reader, tx: Tx) -> Response:
    """Sign out the browser of this request."""
    if by.token_id is None:
        raise NotFound("You have no such browser session.")
    await operations.end_browser_session(tx, by, by.token_id)
    return Response(status_code=204)


@router.delete("/browser-sessions/{session_id}", status_code=204, responses=problems(NotFound, Forbidden))
async def end_browser_session(session_id: UUID, by: Reader, tx: Tx) -> Response:
    """Sign out one of the caller's own browsers; the gateway refuses its token within 5 s."""
    await operations.end_browser_session(tx, by, session_id)
    return Response(status_code=204)


@router.post("/browser-sessions/{session_id}/use", status_code=204, responses=problems(NotFound))
async def use_browser_session(request: Request, session_id: UUID, by: Reader, tx: Tx) -> Response:
    """Restart the idle time of the browser session in use; called by the gateway."""
    await operations.extend_browser_session(tx, by, session_id, request.app.state.settings)
    return Response(status_code=204)
