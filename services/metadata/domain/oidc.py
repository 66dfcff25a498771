"""Which user an identity at an OpenID Connect provider is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.metadata.domain.users import Account


@dataclass(frozen=True)
class Claims:
    """What a provider states about a user who signed in."""

    subject: str
    verified_email: str | None  # None: no address, or one that the provider has not verified
    name: str  # for logs: the address, verified or not, else the subject


def parse_claims(values: Mapping[str, Any]) -> Claims:
    """The claims of a provider's JSON.

    >>> parse_claims({"sub": "s-1", "email": "ada@example.org", "email_verified": True}).verified_email
    'ada@example.org'
    >>> parse_claims({"sub": "s-1", "email": "ada@example.org"}).verified_email is None
    True
    """
    subject, email = str(values["sub"]), values.get("email")
    is_verified = values.get("email_verified") is True
    verified_email = email if is_verified and isinstance(email, str) and email else None
    return Claims(subject, verified_email, str(email or subject))


def account_linked_by_email(accounts: Sequence[Account]) -> Account | None:
    """The account that an e-mail address links to an identity: the only one that has it.

    None for an administrator, whom only an explicit link signs in, and for a shared account.
    """
    if len(accounts) != 1 or accounts[0].is_superuser or accounts[0].is_public_user:
        return None
    return accounts[0]
