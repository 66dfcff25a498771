"""The inner identity carries everything a service may ask of its caller."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from uuid import uuid4

import jwt
import pytest

from libs.common.auth import read_identity, sign_identity
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.scopes import Permission, Scope
from libs.common.testing.callers import keys

WHOLE = Principal(
    user_id=uuid4(),
    username="ada",
    labs=frozenset({uuid4()}),
    projects=frozenset({uuid4()}),
    delegators=frozenset({uuid4()}),
    scopes=frozenset({Scope(Permission.READ)}),
    until=datetime(2040, 1, 1, tzinfo=UTC),
    token_id=uuid4(),
    address="192.0.2.7",
)


def test_a_service_reads_what_the_gateway_signed() -> None:
    for principal in (WHOLE, Principal(uuid4(), "bob", is_superuser=True)):
        signed = sign_identity(principal, Service.SCHEDULER, keys().signing, now=time.time())
        assert read_identity(signed, Service.SCHEDULER, keys().verify) == principal


@pytest.mark.parametrize("skew_s", [-60, -6, 6, 60])
def test_the_clocks_of_two_nodes_may_differ_by_a_minute(skew_s: int) -> None:
    signed = sign_identity(WHOLE, Service.SCHEDULER, keys().signing, now=time.time() + skew_s)
    assert read_identity(signed, Service.SCHEDULER, keys().verify) == WHOLE


@pytest.mark.parametrize("skew_s", [-3600, 3600])
def test_an_identity_of_another_hour_is_refused(skew_s: int) -> None:
    signed = sign_identity(WHOLE, Service.SCHEDULER, keys().signing, now=time.time() + skew_s)
    with pytest.raises(jwt.InvalidTokenError):
        read_identity(signed, Service.SCHEDULER, keys().verify)
