"""Users, as in Alyx."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from pydantic import Field

from libs.common.schemas.base import BodyRecord, Record
from libs.common.schemas.coercion import AsSent
from libs.common.schemas.names import Username


class User(Record):
    """A person, by username."""

    id: UUID
    username: str
    email: str
    subjects_responsible: list[str]
    lab: list[str] = Field(description="names of the labs of current memberships")
    allowed_users: list[str] = Field(
        description="users who may edit the subjects that this user is responsible for"
    )
    is_stock_manager: bool
    is_superuser: bool
    is_staff: bool
    is_public_user: bool
    is_active: bool


class UserIn(BodyRecord):
    """A person to create or update. Only administrators do this."""

    needed_by_put: ClassVar[tuple[str, ...]] = ("username",)
    not_blank: ClassVar[tuple[str, ...]] = ("username",)
    not_null: ClassVar[tuple[str, ...]] = (
        "email",
        "subjects_responsible",
        "allowed_users",
        "is_stock_manager",
        "is_superuser",
        "is_staff",
        "is_public_user",
        "is_active",
        "password",
    )
    username: Username | None = Field(default=None, max_length=150)
    email: str | None = None
    subjects_responsible: list[str] | None = Field(
        default=None, description="as shown: a subject's `responsible_user` changes it"
    )
    allowed_users: list[str] | None = None
    is_stock_manager: bool | None = None
    is_superuser: bool | None = None
    is_staff: bool | None = None
    is_public_user: bool | None = None
    is_active: bool | None = None
    password: Annotated[str, AsSent()] | None = Field(
        default=None, max_length=1024, description="at least 10 characters, not a well-known password"
    )


class Me(Record):
    """The caller."""

    id: UUID
    username: str
    email: str
    is_superuser: bool
    is_stock_manager: bool
    is_public_user: bool
    scopes: list[str] | None = Field(description="null: all permissions of the user")
