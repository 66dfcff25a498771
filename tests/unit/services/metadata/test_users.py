"""Rules of users."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, Forbidden
from libs.common.scopes import Permission, Scope
from services.metadata.domain.users import (
    check_owns_sign_in,
    check_sets_password_of_other,
    check_user_deletable,
    check_username_free,
)

LAB = uuid4()
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))


def test_the_name_of_a_deleted_user_is_not_reused() -> None:
    check_username_free("eve", is_of_deleted_user=False)
    with pytest.raises(Conflict) as refused:
        check_username_free("eve", is_of_deleted_user=True)
    assert list(refused.value.fields) == ["username"]


def test_administrators_neither_delete_themselves_nor_set_their_own_password() -> None:
    check_user_deletable(uuid4(), MEMBER, is_last_administrator=False)
    check_sets_password_of_other(uuid4(), MEMBER)
    with pytest.raises(Conflict):
        check_user_deletable(MEMBER.user_id, MEMBER, is_last_administrator=False)
    with pytest.raises(Conflict):
        check_user_deletable(uuid4(), MEMBER, is_last_administrator=True)
    with pytest.raises(BadRequest):
        check_sets_password_of_other(MEMBER.user_id, MEMBER)


def test_a_shared_account_and_a_narrowed_token_do_not_change_how_a_user_signs_in() -> None:
    check_owns_sign_in(MEMBER)
    for by in (replace(MEMBER, is_public=True), replace(MEMBER, scopes=frozenset({Scope(Permission.READ)}))):
        with pytest.raises(Forbidden):
            check_owns_sign_in(by)
