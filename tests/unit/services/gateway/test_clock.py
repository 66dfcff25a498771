"""After a step of the wall clock, identities are signed by the new time."""

from __future__ import annotations

import time
from typing import Any, cast
from uuid import uuid4

import pytest
from pydantic import SecretStr

from libs.common.auth import read_identity
from libs.common.catalogue import Service
from libs.common.permissions import Principal
from libs.common.testing.callers import keys
from services.gateway.operations.authenticator import Authenticator
from services.gateway.settings import Settings

ADA = Principal(uuid4(), "ada")


class Clocks:
    """A wall clock, which can be set, and a monotonic one."""

    def __init__(self, wall: float) -> None:
        self.wall, self.ticks = wall, 0.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


def authenticator(clocks: Clocks) -> Authenticator:
    settings = Settings(
        CINGULUM_GATEWAY_DATABASE_URL=SecretStr("postgresql://nowhere/x"),
        identity_signing_key=SecretStr(keys().signing),
        identity_verify_key=keys().verify,
        secret_key=SecretStr("x"),
    )
    unused: Any = cast(Any, None)
    return Authenticator(
        settings, unused, unused, unused, wall=lambda: clocks.wall, ticks=lambda: clocks.ticks
    )


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_after_a_step_of_the_clock_the_caller_is_known_at_once(step_s: float) -> None:
    clocks = Clocks(time.time() - step_s)
    signer = authenticator(clocks)
    signer.sign(ADA, Service.METADATA)
    clocks.pass_time(1)
    clocks.wall += step_s  # now it is that of this machine
    assert read_identity(signer.sign(ADA, Service.METADATA), Service.METADATA, keys().verify) == ADA


def test_an_identity_is_signed_once_in_half_its_life() -> None:
    clocks = Clocks(time.time())
    signer = authenticator(clocks)
    first = signer.sign(ADA, Service.METADATA)
    clocks.pass_time(29)
    clocks.wall += 0.5  # clocks drift
    assert signer.sign(ADA, Service.METADATA) == first
    assert signer.sign(ADA, Service.REGISTRY) != first
