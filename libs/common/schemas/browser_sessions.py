"""Browser sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Schema
from libs.common.schemas.coercion import AsSent


class SignInWithBrowser(BodyRecord):
    """Username and password; or, for a second factor, the `challenge` of that refusal and a code."""

    username: str = ""
    password: Annotated[str, AsSent()] = ""
    challenge: str = Field(default="", max_length=2000)
    code: str = Field(
        default="", max_length=100, description="code of the authenticator app, or a recovery code"
    )
    browser: str = Field(default="", description="label in the list of browser sessions")


class BrowserSession(Schema):
    """A browser session."""

    id: UUID
    created_at: datetime
    used_at: datetime = Field(description="exact to a tenth of the idle time")
    idle_until: datetime = Field(description="when it ends if it is not used")
    expires_at: datetime = Field(description="when it ends regardless of use")
    address: str = Field(description="address of the client at sign-in")
    browser: str
    current: bool = Field(default=False, description="whether this request belongs to it")


class NewBrowserSession(BrowserSession):
    """A new session with its token for the cookie, which is shown once."""

    token: str
