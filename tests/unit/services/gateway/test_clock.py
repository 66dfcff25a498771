"""A clock that is set locks nobody out: what is signed is signed by the clock of now."""

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
from services.gateway.operations import Doorman
from services.gateway.settings import Settings

WHO = Principal(uuid4(), "ada")


class Clocks:
    """The clock on the wall, which is set now and then, and one that only goes on."""

    def __init__(self, wall: float) -> None:
        self.wall, self.ticks = wall, 0.0

    def pass_time(self, seconds: float) -> None:
        self.wall += seconds
        self.ticks += seconds


def doorman(clocks: Clocks) -> Doorman:
    settings = Settings(
        CINGULUM_GATEWAY_DATABASE_URL=SecretStr("postgresql://nowhere/x"),
        identity_signing_key=SecretStr(keys().signing),
        identity_verify_key=keys().verify,
        secret_key=SecretStr("x"),
    )
    nobody: Any = cast(Any, None)
    return Doorman(settings, nobody, nobody, nobody, wall=lambda: clocks.wall, ticks=lambda: clocks.ticks)


@pytest.mark.parametrize("step_s", [-3600, 3600])
def test_after_a_step_of_the_clock_services_know_the_caller_at_once(step_s: float) -> None:
    clocks = Clocks(time.time() - step_s)
    door = doorman(clocks)
    door.sign(WHO, Service.METADATA)
    clocks.pass_time(1)
    clocks.wall += step_s  # now it tells the time as this machine does
    assert read_identity(door.sign(WHO, Service.METADATA), Service.METADATA, keys().verify) == WHO


def test_an_identity_is_signed_once_in_half_its_life() -> None:
    clocks = Clocks(time.time())
    door = doorman(clocks)
    first = door.sign(WHO, Service.METADATA)
    clocks.pass_time(29)
    clocks.wall += 0.5  # clocks drift
    assert door.sign(WHO, Service.METADATA) == first
    assert door.sign(WHO, Service.REGISTRY) != first
