"""Which user an identity at an OpenID Connect provider is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.metadata.domain.users import Account


def verified_email(claims: Mapping[str, Any]) -> str | None:
    """The e-mail address that the provider has verified; None if there is none.

    >>> verified_email({"email": "ada@example.org", "email_verified": True})
    'ada@example.org'
    >>> verified_email({"email": "ada@example.org"}) is None
    True
    """
    email = claims.get("email")
    is_verified = claims.get("email_verified") is True
    return email if isinstance(email, str) and email and is_verified else None


def account_linked_by_email(accounts: Sequence[Account]) -> Account | None:
    """The account that an e-mail address links to an identity: the only one that has it.

    None for an administrator, whom only an explicit link signs in, and for a shared account.
    """
    if len(accounts) != 1 or accounts[0].is_superuser or accounts[0].is_public_user:
        return None
    return accounts[0]
