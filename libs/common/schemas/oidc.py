"""Sign-in by an identity provider."""

from __future__ import annotations

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema
from libs.common.schemas.browser_sessions import NewBrowserSession


class IdentityProvider(Schema):
    """The configured identity provider."""

    enabled: bool
    name: str = Field(description="name of the provider, for the label of a button")


class OidcStart(BodySchema):
    """The path to go to after signing in."""

    next: str = Field(default="", max_length=2000)


class OidcFlow(Schema):
    """The provider's address to redirect to, and the state for the browser's cookie."""

    address: str
    flow: str = Field(description="value for an HttpOnly cookie; valid for ten minutes")


class OidcAnswer(BodySchema):
    """The provider's response, and the state of the browser's cookie."""

    flow: str = Field(max_length=8000)
    state: str = Field(max_length=1000)
    code: str = Field(max_length=4000)
    browser: str = ""


class Identity(BodySchema):
    """A subject at the identity provider."""

    subject: str = Field(min_length=1, max_length=255, description="the claim `sub`")


class OidcSession(NewBrowserSession):
    """A browser session, and the path to go to."""

    next: str
