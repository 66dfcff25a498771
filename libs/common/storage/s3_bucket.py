"""The few S3 calls that the store needs, with the server's errors as storage problems."""

from __future__ import annotations

import base64
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import aiohttp
from aiobotocore.config import AioConfig
from aiobotocore.session import AioSession, get_session
from botocore.exceptions import BotoCoreError, ClientError

from libs.common.storage.problems import ObjectMissing, StorageProblem, StoreFull, StoreUnavailable
from libs.common.storage.store import BLOCK_BYTES

_MISSING = {"404", "NoSuchKey", "NotFound", "NoSuchUpload"}
_FULL = {"507", "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity"}
_REMOVE_AT_ONCE = 1000  # the S3 protocol's limit


@dataclass(frozen=True)
class S3Place:
    """A bucket and how to reach it.

    prefix               in the bucket, ending with `/`; empty for the whole bucket
    public_endpoint_url  the server as browsers and clients reach it, for signed addresses; the same if None
    """

    endpoint_url: str
    bucket: str
    access_key_id: str
    secret_access_key: str
    region: str = "us-east-1"
    prefix: str = ""
    public_endpoint_url: str | None = None


@dataclass(frozen=True)
class Entry:
    """One key of the bucket, without its prefix."""

    key: str
    size_bytes: int
    written_at: datetime


class Bucket:
    """One bucket, or one prefix of it. Made by `connect`."""

    def __init__(self, place: S3Place, client: Any, public_client: Any) -> None:
        self._place = place
        self._client = client
        self._public_client = public_client

    async def create_bucket(self) -> None:
        """Make the bucket; fine if we have it already."""
        with s3_problems():
            try:
                await self._client.create_bucket(Bucket=self._place.bucket)
            except (
                self._client.exceptions.BucketAlreadyOwnedByYou,
                self._client.exceptions.BucketAlreadyExists,
            ):
                await self._client.head_bucket(Bucket=self._place.bucket)

    async def put(self, key: str, data: io.BytesIO, sha256: str) -> None:
        """Store a whole object; the server refuses it if the bytes that reach it have another SHA-256."""
        checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
        with s3_problems():
            await self._client.put_object(**self._at(key), Body=data, ChecksumSHA256=checksum)

    async def head(self, key: str) -> Entry | None:
        """Size and time of an object; None if it does not exist."""
        try:
            with s3_problems():
                response = await self._client.head_object(**self._at(key))
        except ObjectMissing:
            return None
        return Entry(key, response["ContentLength"], response["LastModified"])

    @asynccontextmanager
    async def get(self, key: str, start_byte: int, stop_byte: int) -> AsyncIterator[AsyncIterator[bytes]]:
        """Read a range in blocks."""
        if start_byte == stop_byte:  # the protocol has no empty range
            yield _blocks(None, 0)
            return
        with s3_problems():
            response = await self._client.get_object(
                **self._at(key), Range=f"bytes={start_byte}-{stop_byte - 1}"
            )
        async with response["Body"] as body:
            yield _blocks(body, stop_byte - start_byte)

    async def copy(self, source: str, key: str) -> None:
        """Copy an object (up to 5 GB) inside the server."""
        with s3_problems():
            await self._client.copy_object(**self._at(key), CopySource=self._at(source))

    async def list(self, prefix: str) -> AsyncIterator[Entry]:
        """Everything whose key begins so, by key."""
        pages = self._client.get_paginator("list_objects_v2")
        before = len(self._place.prefix)
        with s3_problems():
            async for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._place.prefix + prefix):
                for entry in page.get("Contents", []):
                    yield Entry(entry["Key"][before:], entry["Size"], entry["LastModified"])

    async def remove(self, keys: Sequence[str]) -> None:
        """Delete keys; those not there are fine."""
        for first in range(0, len(keys), _REMOVE_AT_ONCE):
            batch = [{"Key": self._place.prefix + key} for key in keys[first : first + _REMOVE_AT_ONCE]]
            with s3_problems():
                answer = await self._client.delete_objects(
                    Bucket=self._place.bucket, Delete={"Objects": batch, "Quiet": True}
                )
            if answer.get("Errors"):
                raise StoreUnavailable(f"The S3 server did not delete: {answer['Errors'][0]}.")

    @asynccontextmanager
    async def joining(self, key: str) -> AsyncIterator[Join]:
        """Join pieces under a key: it appears when the block ends well, and not at all when it raises."""
        with s3_problems():
            upload = await self._client.create_multipart_upload(**self._at(key))
        at = {**self._at(key), "UploadId": upload["UploadId"]}
        join = Join(self._client, at, self._at)
        try:
            yield join
            with s3_problems():
                await self._client.complete_multipart_upload(**at, MultipartUpload={"Parts": join.pieces})
        except BaseException:
            await self._client.abort_multipart_upload(**at)
            raise

    async def abort_joins(self, prefix: str, before: datetime) -> None:
        """Abort joins that began before that instant and never ended: their writer died."""
        pages = self._client.get_paginator("list_multipart_uploads")
        with s3_problems():
            async for page in pages.paginate(Bucket=self._place.bucket, Prefix=self._place.prefix + prefix):
                for entry in page.get("Uploads", []):
                    if entry["Initiated"] < before:
                        await self._client.abort_multipart_upload(
                            Bucket=self._place.bucket, Key=entry["Key"], UploadId=entry["UploadId"]
                        )

    async def presign(self, key: str, disposition: str, lifetime_s: int) -> str:
        """An address from which the object can be fetched without credentials."""
        signed: str = await self._public_client.generate_presigned_url(
            "get_object",
            Params={**self._at(key), "ResponseContentDisposition": disposition},
            ExpiresIn=lifetime_s,
        )
        return signed

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": self._place.prefix + key}


class Join:
    """A multipart upload under way: pieces are joined in the order of the calls."""

    def __init__(self, client: Any, at: dict[str, str], place_of: Any) -> None:
        self._client = client
        self._at = at
        self._place_of = place_of
        self.pieces: list[dict[str, Any]] = []

    async def upload(self, data: io.BytesIO) -> None:
        """Append bytes (at least 5 MiB, but for the last piece)."""
        number = len(self.pieces) + 1
        with s3_problems():
            answer = await self._client.upload_part(**self._at, PartNumber=number, Body=data)
        self.pieces.append({"PartNumber": number, "ETag": answer["ETag"]})

    async def copy(self, source: str) -> None:
        """Append an object of the bucket, inside the server."""
        number = len(self.pieces) + 1
        with s3_problems():
            answer = await self._client.upload_part_copy(
                **self._at, PartNumber=number, CopySource=self._place_of(source)
            )
        self.pieces.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})


@cache
def _session() -> AioSession:
    """One for all stores of a process: each new one reads megabytes of S3's description, 0.2 s for a client."""
    return get_session()


async def connect(place: S3Place, connections: AsyncExitStack) -> Bucket:
    """Open the clients; they close with the stack."""

    async def client(endpoint_url: str) -> Any:
        return await connections.enter_async_context(
            _session().create_client(
                "s3",
                region_name=place.region,
                endpoint_url=endpoint_url,
                aws_access_key_id=place.access_key_id,
                aws_secret_access_key=place.secret_access_key,
                config=_CONFIG,
            )
        )

    own = await client(place.endpoint_url)
    public = place.public_endpoint_url
    return Bucket(place, own, await client(public) if public and public != place.endpoint_url else own)


# payload_signing_enabled: the signed SHA-256 checksum header guards the bytes already; signing them too would hash
# 64 MiB on the event loop. when_required: a default CRC-32 would do the same.
_CONFIG = AioConfig(
    signature_version="s3v4",
    s3={"addressing_style": "path", "payload_signing_enabled": False},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    retries={"mode": "standard", "max_attempts": 4},
    connect_timeout=5,
    read_timeout=60,
    max_pool_connections=32,
)


@contextmanager
def s3_problems() -> Iterator[None]:
    """Report the server's errors and time-outs as problems that a caller can act on."""
    try:
        yield
    except ClientError as error:
        raise _problem(error) from error
    except (BotoCoreError, aiohttp.ClientError, TimeoutError) as error:
        raise StoreUnavailable(f"The S3 server does not respond: {type(error).__name__}.") from error


def _problem(error: ClientError) -> StorageProblem:
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code in _MISSING:
        return ObjectMissing("The S3 server holds no such object.")
    if code in _FULL:
        return StoreFull(f"The S3 server has no space left ({code}).")
    return StoreUnavailable(f"The S3 server refuses {error.operation_name}: {code}.")


async def _blocks(body: Any, length_bytes: int) -> AsyncIterator[bytes]:
    left = length_bytes
    with s3_problems():
        while left > 0 and (block := await body.read(min(left, BLOCK_BYTES))):
            left -= len(block)
            yield block
    if left:
        raise StoreUnavailable(f"The S3 server closed the connection {left} bytes early.")
