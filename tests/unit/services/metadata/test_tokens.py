"""Rules of tokens and their scopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Forbidden
from libs.common.scopes import Permission, Scope
from services.metadata.domain.scopes import check_scope, scope_text, unknown_object, unknown_scope
from services.metadata.domain.tokens import check_new_token, is_visible_to, parent_token_id

LAB, OTHER_LAB = uuid4(), uuid4()
END = datetime(2099, 1, 1, tzinfo=UTC)
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))
ADMINISTRATOR = Principal(uuid4(), "root", is_superuser=True)


def test_only_an_administrator_enrols_a_worker() -> None:
    check_new_token(ADMINISTRATOR, "worker", {Permission.WORK, Permission.PROVE}, None)
    with pytest.raises(Forbidden):
        check_new_token(MEMBER, "worker", {Permission.WORK}, None)


@pytest.mark.parametrize(
    ("kind", "permission"),
    [("personal", Permission.PROVE), ("worker", Permission.ADMIN), ("worker", Permission.RELEASE)],
)
def test_a_permission_of_the_other_kind_is_refused(kind: str, permission: Permission) -> None:
    with pytest.raises(BadRequest) as refused:
        check_new_token(ADMINISTRATOR, kind, {Permission.READ, permission}, None)
    assert list(refused.value.fields) == ["scopes"]


def test_a_token_ends_no_later_than_the_one_it_is_created_with() -> None:
    brief = replace(MEMBER, until=END)
    check_new_token(brief, "personal", {Permission.READ}, END)
    check_new_token(MEMBER, "personal", {Permission.READ}, None)
    for expires_at in (None, END + timedelta(seconds=1)):
        with pytest.raises(BadRequest) as refused:
            check_new_token(brief, "personal", {Permission.READ}, expires_at)
        assert list(refused.value.fields) == ["expires_at"]


def test_a_token_is_revoked_with_the_narrowed_token_that_created_it() -> None:
    token_id = uuid4()
    narrowed = replace(MEMBER, token_id=token_id, scopes=frozenset({Scope(Permission.READ)}))
    assert parent_token_id(narrowed) == token_id
    assert parent_token_id(replace(MEMBER, token_id=token_id)) is None


def test_a_token_of_one_lab_sees_no_token_of_another() -> None:
    by = replace(MEMBER, scopes=frozenset({Scope(Permission.READ, lab_id=LAB)}))
    assert is_visible_to(by, [f"lab:{LAB}:read"])
    for scopes in ([f"lab:{OTHER_LAB}:read"], ["read"], [f"lab:{LAB}:read", f"lab:{LAB}:write"], None):
        assert not is_visible_to(by, scopes)


def test_a_scope_beyond_the_role_is_forbidden() -> None:
    scope = Scope(Permission.WRITE, lab_id=LAB)
    assert check_scope(MEMBER, scope, "lab:hilllab:write") == scope
    with pytest.raises(Forbidden, match="lab:coastlab:write"):
        check_scope(MEMBER, Scope(Permission.WRITE, lab_id=OTHER_LAB), "lab:coastlab:write")


def test_an_unknown_name_does_not_exist_and_an_id_out_of_reach_is_forbidden() -> None:
    unknown = unknown_object(MEMBER, "lab", "nowhere", Permission.WRITE, "lab:nowhere:write")
    assert unknown.fields == {"scopes": ["Object with name=nowhere does not exist."]}
    text = f"lab:{OTHER_LAB}:write"
    assert isinstance(unknown_object(MEMBER, "lab", str(OTHER_LAB), Permission.WRITE, text), Forbidden)


def test_text_that_is_not_a_scope_is_refused_with_an_example() -> None:
    assert "lab:hilllab:register" in unknown_scope("fly").fields["scopes"][0]


def test_a_name_that_looks_like_an_id_is_not_shown() -> None:
    scope = Scope(Permission.READ, lab_id=LAB)
    assert scope_text(scope, {LAB: "hilllab"}) == "lab:hilllab:read"
    assert scope_text(scope, {LAB: str(uuid4())}) == f"lab:{LAB}:read"
    assert scope_text(scope, {}) == f"lab:{LAB}:read"
