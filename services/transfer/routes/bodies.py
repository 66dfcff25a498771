"""Reading request bodies that are bytes."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from libs.common.problem import BadRequest
from services.transfer.domain import BadBundle
from services.transfer.operations.upload_context import UploadContext

LONGEST_LIST = 4 * 2**20  # bytes: 5,000 files with long names
_SHA256 = re.compile(r"(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]*):", re.IGNORECASE)


class ClientDisconnected(BadRequest):
    """The connection ended before the body was complete: send it again."""

    slug = "hung-up"
    detail = "The connection ended before the body was complete."


class BadDigest(BadRequest):
    """The header Content-Digest has no SHA-256 in the form of RFC 9530."""

    slug = "bad-content-digest"


def upload_context_of(request: Request) -> UploadContext:
    """The store and database of this process."""
    context: UploadContext = request.app.state.upload_context
    return context


def content_digest(header: str | None) -> str | None:
    """The SHA-256 (hex) of a Content-Digest header; None without one. Raises BadDigest.

    >>> content_digest("sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:")[:8]
    'e3b0c442'
    >>> content_digest(None), content_digest("sha-512=:AA==:")
    (None, None)
    """
    match = _SHA256.search(header) if header else None
    if match is None:
        return None
    try:
        digest = base64.b64decode(match[1], validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != 32:
        raise BadDigest("Content-Digest is sha-256=:<base64 of 32 bytes>:, as in RFC 9530.")
    return digest.hex()


async def body_of(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives. Raises ClientDisconnected."""
    try:
        async for chunk in request.stream():
            yield chunk
    except ClientDisconnect:
        raise ClientDisconnected from None


async def first_line(chunks: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    """The first line of a body, and the rest of it. Raises BadBundle."""
    line = bytearray()
    async for chunk in chunks:
        before, end, after = chunk.partition(b"\n")
        line += before
        if end:
            return bytes(line), _with_first(after, chunks)
        if len(line) > LONGEST_LIST:
            break
    raise BadBundle(f"A bundle begins with a line of JSON of at most {LONGEST_LIST} bytes.")


async def _with_first(first: bytes, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in chunks:
        yield chunk
