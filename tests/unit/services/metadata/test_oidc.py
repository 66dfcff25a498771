"""Rules of identities at a provider."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from services.metadata.domain.oidc import account_linked_by_email, parse_claims
from services.metadata.domain.users import (
    Account,
)

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
