"""What makes services cheap to sign in to, since tests start hundreds of them in one process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from argon2 import PasswordHasher

from services.metadata.operations import hashing


@contextmanager
def quick_passwords() -> Iterator[None]:
    """A password is hashed at once, and such a hash is verified at once; in earnest it takes half a second."""
    with patch.object(hashing, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield
