"""The store in a bucket keeps the contract, against a real S3 server."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import aiohttp
import pytest
from yarl import URL

from libs.common.storage import ObjectMissing, StorageProblem, StoreUnavailable, object_key
from libs.common.storage.s3 import S3Store
from libs.common.storage.s3_bucket import Bucket, S3Place, connect
from tests.support.bytes import random_bytes, sha256, stream
from tests.support.store_contract import StoreContract, held


@pytest.fixture
async def bucket(server: S3Place) -> AsyncIterator[Bucket]:
    """An empty corner of the bucket."""
    async with AsyncExitStack() as connections:
        bucket = await connect(replace(server, prefix=f"{uuid4()}/"), connections)
        await bucket.create_bucket()
        yield bucket


@pytest.fixture
async def store(bucket: Bucket) -> S3Store:
    return S3Store(bucket, AsyncExitStack())


class TestS3Store(StoreContract):
    async def test_a_signed_url_needs_no_credentials_and_expires(self, store: S3Store) -> None:
        data = random_bytes(5000)
        await store.put(data)
        url = await store.signed_url(sha256(data), "spikes.times é.npy")
        assert url is not None
        async with aiohttp.ClientSession() as anybody:
            async with anybody.get(URL(url, encoded=True), headers={"Range": "bytes=10-19"}) as answer:
                assert (answer.status, await answer.read()) == (206, data[10:20])
                assert "spikes.times%20%C3%A9.npy" in answer.headers["Content-Disposition"]
            forged = url.replace(sha256(data), sha256(b"another"))
            async with anybody.get(URL(forged, encoded=True)) as answer:
                assert answer.status == 403

    async def test_the_server_itself_refuses_bytes_of_another_hash(
        self, bucket: Bucket, store: S3Store
    ) -> None:
        with pytest.raises(StorageProblem):
            await bucket.put(object_key(sha256(b"right")), io.BytesIO(b"wrong"), sha256(b"right"))
        with pytest.raises(ObjectMissing):
            await store.stat(sha256(b"right"))

    async def test_a_proof_detects_a_damaged_object_and_a_put_repairs_it(
        self, bucket: Bucket, store: S3Store
    ) -> None:
        await store.put(b"right")
        await bucket.put(object_key(sha256(b"right")), io.BytesIO(b"wrong"), sha256(b"wrong"))
        assert (await store.prove(sha256(b"right"))).sha256 == sha256(b"wrong")
        await store.put(b"right")
        assert (await store.prove(sha256(b"right"))).sha256 == sha256(b"right")

    async def test_foreign_keys_among_the_parts_are_ignored(self, bucket: Bucket, store: S3Store) -> None:
        for key in ("parts/", "parts/read me.txt", "parts/backup/00001", "parts/a/b/c"):
            await bucket.put(key, io.BytesIO(b""), sha256(b""))
        upload_id = uuid4()
        await store.put_part(upload_id, 0, stream(b"part"))
        assert [upload.upload_id for upload in await store.uploads()] == [upload_id]

    async def test_a_join_whose_writer_died_is_swept(self, bucket: Bucket, store: S3Store) -> None:
        key = object_key(sha256(b"never"))
        at = {"Bucket": bucket._place.bucket, "Key": bucket._place.prefix + key}
        await bucket._client.create_multipart_upload(**at)
        await store.sweep(datetime.now(UTC) + timedelta(minutes=1))
        left = await bucket._client.list_multipart_uploads(Bucket=at["Bucket"], Prefix=at["Key"])
        assert left.get("Uploads", []) == []
        assert await held(store) == []

    async def test_a_wrong_secret_is_reported_as_unavailable(self, server: S3Place) -> None:
        store = await S3Store.connect(replace(server, secret_access_key="wrong"))
        with pytest.raises(StoreUnavailable):
            await store.put(b"object")
        await store.close()

    async def test_a_silent_server_is_reported_as_unavailable(self, server: S3Place) -> None:
        store = await S3Store.connect(replace(server, endpoint_url="http://127.0.0.1:1"))
        with pytest.raises(StoreUnavailable):
            await store.put(b"object")
        await store.close()
