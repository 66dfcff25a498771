"""How passwords are stored."""

from __future__ import annotations

from argon2 import extract_parameters
from argon2.low_level import Type

from services.metadata.operations.hashing import PasswordHashing


async def test_a_stored_password_is_expensive_to_guess() -> None:
    """The recommendation of RFC 9106 where memory is limited; tests of services use a cheaper one."""
    hashing = PasswordHashing()
    hashed = await hashing.hash("correct horse", "192.0.2.7")
    stored = extract_parameters(hashed)
    assert stored.type is Type.ID
    assert (stored.memory_cost, stored.time_cost, stored.parallelism) == (64 * 1024, 3, 4)
    assert await hashing.verify(hashed, "correct horse", "192.0.2.7")
    assert not await hashing.verify(hashed, "battery staple", "192.0.2.7")
    hashing.close()
