"""Log-in, personal and worker tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, Field

from libs.common.schemas.base import BodySchema, Record, Schema


class AuthToken(Record):
    """The log-in token and nothing else: clients store the whole object."""

    token: str


class Credentials(Record):
    """Username and password, as JSON or as a form."""

    username: str
    password: str


class TokenIn(BodySchema):
    """A token to be created."""

    name: str = Field(min_length=1, max_length=100, description="what the token is for")
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
        description="null: all permissions of the user; labs, projects and repositories by name, where visible"
    )
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


class NewToken(Token):
    """A new token with its text, which is shown once."""

    token: str
