"""The caller's own password."""

from __future__ import annotations

from pydantic import Field

from libs.common.schemas.base import BodySchema


class PasswordChange(BodySchema):
    """The old and the new password."""

    old_password: str = Field(max_length=1024)
    new_password: str = Field(
        max_length=1024, description="at least 10 characters, not a well-known password"
    )
    keep_tokens: bool = Field(default=False, description="do not revoke personal tokens")
