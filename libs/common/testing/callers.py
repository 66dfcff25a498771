"""Callers of every role, and the inner identity that a service reads."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from libs.common.auth import HEADER, sign_identity
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope


class Keys(NamedTuple):
    """The gateway's key pair, PEM."""

    signing: str
    verify: str


@cache
def keys() -> Keys:
    """One pair for all tests of a process."""
    private = Ed25519PrivateKey.generate()
    return Keys(
        private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
    )


@dataclass(frozen=True)
class Callers:
    """One caller of each role; `lab_id` is the lab of the member and of the worker."""

    lab_id: UUID = field(default_factory=uuid4)
    user_id: UUID = field(default_factory=uuid4)

    @property
    def administrator(self) -> Principal:
        return Principal(self.user_id, "admin", is_superuser=True)

    @property
    def member(self) -> Principal:
        return Principal(self.user_id, "member", labs=frozenset({self.lab_id}))

    @property
    def visitor(self) -> Principal:
        """A member of another lab."""
        return Principal(uuid4(), "visitor", labs=frozenset({uuid4()}))

    @property
    def stock_manager(self) -> Principal:
        return Principal(uuid4(), "stock", is_stock_manager=True)

    @property
    def public_reader(self) -> Principal:
        return Principal(uuid4(), "public", is_public=True)

    @property
    def worker(self) -> Principal:
        scopes = frozenset(
            Scope(p) for p in (Permission.READ, Permission.WORK, Permission.TRANSFER, Permission.REGISTER)
        )
        return Principal(self.user_id, "worker", labs=frozenset({self.lab_id}), scopes=scopes)

    @property
    def narrow_reader(self) -> Principal:
        """An administrator's token that only reads."""
        return Principal(self.user_id, "admin", is_superuser=True, scopes=frozenset({Scope(Permission.READ)}))

    def all(self) -> dict[str, Principal | None]:
        """Role → caller; None has no account."""
        return {
            "stranger": None,
            "public_reader": self.public_reader,
            "narrow_reader": self.narrow_reader,
            "visitor": self.visitor,
            "member": self.member,
            "stock_manager": self.stock_manager,
            "worker": self.worker,
            "administrator": self.administrator,
        }


def identity_headers(principal: Principal | None, service: Service) -> dict[str, str]:
    """The header that the gateway would send; none without an account."""
    return (
        {}
        if principal is None
        else {HEADER: sign_identity(principal, service, keys().signing, now=time.time())}
    )
