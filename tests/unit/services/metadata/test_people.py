"""Rules of labs, users, memberships, locations and identities at a provider."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import uuid4

import pytest

from libs.common.permissions import Principal
from libs.common.problem import BadRequest, Conflict, Forbidden
from libs.common.scopes import Permission, Scope
from services.metadata.domain.labs import check_lab_deletable
from services.metadata.domain.locations import check_location_writable
from services.metadata.domain.memberships import check_period
from services.metadata.domain.oidc import account_linked_by_email, parse_claims
from services.metadata.domain.users import (
    Account,
    check_owns_sign_in,
    check_sets_password_of_other,
    check_user_deletable,
    check_username_free,
)

LAB, OTHER_LAB = uuid4(), uuid4()
MEMBER = Principal(uuid4(), "ada", labs=frozenset({LAB}))
ACCOUNT = Account(
    id=uuid4(),
    username="ada",
    email="ada@example.org",
    password_hash=None,
    token_generation=1,
    is_active=True,
    is_superuser=False,
    is_stock_manager=False,
    is_public_user=False,
)


def test_a_lab_with_subjects_cannot_be_deleted() -> None:
    check_lab_deletable("hilllab", has_subjects=False)
    with pytest.raises(Conflict, match="hilllab"):
        check_lab_deletable("hilllab", has_subjects=True)


def test_a_membership_ends_on_or_after_its_start() -> None:
    check_period(date(2024, 1, 2), None)
    check_period(date(2024, 1, 2), date(2024, 1, 2))
    with pytest.raises(BadRequest) as refused:
        check_period(date(2024, 1, 2), date(2024, 1, 1))
    assert list(refused.value.fields) == ["end_date"]


@pytest.mark.parametrize(
    ("lab_ids", "is_writable"),
    [
        ((LAB, LAB), True),
        ((OTHER_LAB, OTHER_LAB), False),
        ((LAB, OTHER_LAB), False),  # moved into another lab
        ((OTHER_LAB, LAB), False),  # taken from another lab
        ((None, None), True),  # shared by all labs
    ],
)
def test_a_location_is_updated_by_members_of_its_lab(lab_ids: tuple[object, ...], is_writable: bool) -> None:
    if is_writable:
        check_location_writable(MEMBER, "rig_1", lab_ids)  # type: ignore[arg-type]
        return
    with pytest.raises(Forbidden):
        check_location_writable(MEMBER, "rig_1", lab_ids)  # type: ignore[arg-type]


def test_the_name_of_a_deleted_user_is_not_reused() -> None:
    check_username_free("eve", is_of_deleted_user=False)
    with pytest.raises(Conflict) as refused:
        check_username_free("eve", is_of_deleted_user=True)
    assert list(refused.value.fields) == ["username"]


def test_administrators_neither_delete_themselves_nor_set_their_own_password() -> None:
    check_user_deletable(uuid4(), MEMBER)
    check_sets_password_of_other(uuid4(), MEMBER)
    with pytest.raises(Conflict):
        check_user_deletable(MEMBER.user_id, MEMBER)
    with pytest.raises(BadRequest):
        check_sets_password_of_other(MEMBER.user_id, MEMBER)


def test_a_shared_account_and_a_narrowed_token_do_not_change_how_a_user_signs_in() -> None:
    check_owns_sign_in(MEMBER)
    for by in (replace(MEMBER, is_public=True), replace(MEMBER, scopes=frozenset({Scope(Permission.READ)}))):
        with pytest.raises(Forbidden):
            check_owns_sign_in(by)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "ada@example.org"},
        {"email": "ada@example.org", "email_verified": "true"},
        {"email": "", "email_verified": True},
        {"email": ["ada@example.org"], "email_verified": True},
    ],
)
def test_only_a_verified_address_identifies_a_user(claims: dict[str, object]) -> None:
    assert parse_claims({"sub": "s-1", **claims}).verified_email is None


def test_a_verified_address_identifies_a_user() -> None:
    claims = parse_claims({"sub": "s-1", "email": "ada@example.org", "email_verified": True})
    assert claims.verified_email == "ada@example.org"


def test_a_sign_in_is_logged_by_address_else_by_subject() -> None:
    assert parse_claims({"sub": "s-1", "email": "ada@example.org"}).name == "ada@example.org"
    assert parse_claims({"sub": "s-1", "email": ""}).name == "s-1"


def test_an_address_links_one_ordinary_account() -> None:
    assert account_linked_by_email([ACCOUNT]) == ACCOUNT
    for accounts in (
        [],
        [ACCOUNT, replace(ACCOUNT, id=uuid4())],
        [replace(ACCOUNT, is_superuser=True)],
        [replace(ACCOUNT, is_public_user=True)],
    ):
        assert account_linked_by_email(accounts) is None
