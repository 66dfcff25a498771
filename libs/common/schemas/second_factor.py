"""The caller's authenticator app."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from libs.common.schemas.base import BodySchema, Schema


class SecondFactor(Schema):
    """Whether signing in with a browser needs a code."""

    available: bool = Field(description="whether users of this installation can add an app")
    enabled: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


class Password(BodySchema):
    """The caller's own password."""

    password: str = Field(max_length=1024)


class SecondFactorSecret(Schema):
    """The secret for an authenticator app, shown once."""

    secret: str = Field(description="base32, for typing")
    uri: str = Field(description="otpauth://, for a QR code")


class Code(BodySchema):
    """A code of the app."""

    code: str = Field(max_length=100)


class RecoveryCodes(Schema):
    """Each replaces a code of the app once. Shown once."""

    recovery_codes: list[str]


class PasswordAndCode(Password, Code):
    """Password and code."""
