"""The store in memory keeps the contract."""

from __future__ import annotations

import pytest

from libs.common.storage import MemoryStore
from tests.support.bytes import sha256
from tests.support.store_contract import StoreContract


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


class TestMemoryStore(StoreContract):
    async def test_a_proof_sees_bytes_that_changed(self, store: MemoryStore) -> None:
        await store.put(b"right")
        store.damage(sha256(b"right"), b"wrong")
        assert (await store.prove(sha256(b"right"))).sha256 == sha256(b"wrong")
