"""Filters of the list of users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import sqlalchemy as sa

from libs.common.db.conditions import Condition
from libs.common.filters.list_filters import (
    FreeFilter,
    ListFilters,
    Refused,
    Where,
    WhereTrue,
    WhereVisible,
    is_at,
    is_named,
    parameter,
)
from libs.common.filters.parameters import CommaList, Moment, Text, Truth, UuidText
from libs.common.visibility import Visibility
from services.metadata.models import DelegateRow, UserRow
from services.metadata.queries import visible
from services.metadata.queries.django_filters.people import USER_MAP


def is_user(text: str) -> Condition:
    """The user of a row has this username or id."""
    return is_named(UserRow.username, UserRow.id, text)


def _has_delegates(visibility: Visibility, names: Sequence[str]) -> Condition:
    delegate = sa.orm.aliased(UserRow)
    return sa.and_(
        *(
            sa.exists().where(
                DelegateRow.user_id == UserRow.id,
                DelegateRow.delegate_id == delegate.id,
                is_named(delegate.username, delegate.id, name),
                visible.is_user_visible(visibility, delegate),
            )
            for name in names
        )
    )


class UserFilters(ListFilters):
    """Filters of the list of users."""

    allowed_users: Annotated[CommaList, WhereVisible(_has_delegates)] = parameter(
        "Usernames or ids of users who may edit the user's subjects, all of which must match."
    )
    date_joined: Annotated[Moment, Where(lambda when: is_at(UserRow.created_at, when))] = parameter(
        "Time when the account was created, UTC."
    )
    django: Annotated[Text, FreeFilter(USER_MAP)] = parameter("Alyx's free filter: `field,value,…`.")
    email: Annotated[Text, WhereVisible(lambda visibility, email: visible.email(visibility) == email)] = (
        parameter("E-mail address; administrators find every address, others only their own.")
    )
    first_name: Annotated[Text, Refused()] = parameter("Refused: first names are not stored.")
    groups: Annotated[Text, Refused()] = parameter("Refused: users have no groups; they are members of labs.")
    id: Annotated[UuidText, Where(lambda user_id: UserRow.id == user_id)] = parameter("Id.")
    is_active: Annotated[Truth, WhereTrue(UserRow.is_active.is_(True))] = parameter(
        "Whether the user can sign in."
    )
    is_public_user: Annotated[Truth, WhereTrue(UserRow.is_public_user.is_(True))] = parameter(
        "Whether it is a public reader."
    )
    is_staff: Annotated[Truth, WhereTrue(UserRow.is_staff.is_(True))] = parameter(
        "Whether Alyx's administration pages were open to the user."
    )
    is_stock_manager: Annotated[Truth, WhereTrue(UserRow.is_stock_manager.is_(True))] = parameter(
        "Whether it is a stock manager."
    )
    is_superuser: Annotated[Truth, WhereTrue(UserRow.is_superuser.is_(True))] = parameter(
        "Whether it is an administrator."
    )
    last_login: Annotated[Text, Refused()] = parameter("Refused: times of sign-ins are not shown.")
    last_name: Annotated[Text, Refused()] = parameter("Refused: last names are not stored.")
    password: Annotated[Text, Refused()] = parameter("Refused: passwords are secret.")
    user_permissions: Annotated[Text, Refused()] = parameter(
        "Refused: permissions follow from roles and memberships."
    )
    username: Annotated[Text, Where(lambda name: UserRow.username == name)] = parameter("Username.")
