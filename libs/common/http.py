"""HTTP's own rules that several services follow: safe methods, entity tags, and responses with byte ranges."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import ClassVar, Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.common.problem import BadRequest

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OCTETS: Final = "application/octet-stream"
# Of bytes that an ETag identifies: caches keep them for one caller, and ask before each use.
REVALIDATED: Final = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
_RANGE: Final = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


class RangeNotSatisfiable(BadRequest):
    """The requested bytes are outside the file."""

    status: ClassVar[int] = 416
    slug: ClassVar[str] = "range-not-satisfiable"


class PreconditionFailed(BadRequest):
    """The caller wants bytes with another entity tag (`If-Match`) than the current ones."""

    status: ClassVar[int] = 412
    slug: ClassVar[str] = "precondition-failed"


def matches_etag(if_none_match: str | None, etag: str) -> bool:
    """Whether the caller holds what has this entity tag, so that 304 is the answer.

    >>> matches_etag('"a", W/"b"', '"b"'), matches_etag("*", '"b"'), matches_etag(None, '"b"')
    (True, True, False)
    """
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in tags or etag in tags


def byte_range(header: str | None, size_bytes: int) -> tuple[int, int] | None:
    """Start and end of the one range of a `Range` header; None for none or several, which get the whole file.

    Raises RangeNotSatisfiable.

    >>> byte_range("bytes=2-5", 10), byte_range("bytes=-3", 10), byte_range("bytes=8-", 10)
    ((2, 6), (7, 10), (8, 10))
    >>> byte_range("bytes=0-1,4-5", 10) is None
    True
    """
    match = _RANGE.fullmatch((header or "").strip())
    if match is None or not (match[1] or match[2]):
        return None
    if match[1]:
        start, stop = int(match[1]), min(int(match[2]) + 1 if match[2] else size_bytes, size_bytes)
    else:
        start, stop = max(0, size_bytes - int(match[2])), size_bytes
    if start >= stop:
        raise RangeNotSatisfiable(
            f"The file has {size_bytes} bytes.", headers={"Content-Range": f"bytes */{size_bytes}"}
        )
    return start, stop


def requested_range(request: Request, size_bytes: int, etag: str) -> tuple[int, int] | None:
    """The `byte_range` of a request; None too if its `If-Range` names other bytes.

    Raises PreconditionFailed if its `If-Match` does, and RangeNotSatisfiable.
    """
    if_match = request.headers.get("if-match")
    if if_match is not None and not {"*", etag} & {tag.strip() for tag in if_match.split(",")}:
        raise PreconditionFailed(f"The entity tag is {etag}.")
    is_same = request.headers.get("if-range") in {None, etag}
    return byte_range(request.headers.get("range"), size_bytes) if is_same else None


def not_modified(if_none_match: str | None, headers: Mapping[str, str]) -> Response | None:
    """The response 304, if the caller holds what `headers["ETag"]` identifies."""
    if matches_etag(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return None


def ranged_response(
    request: Request,
    size_bytes: int,
    headers: Mapping[str, str],
    stream: Callable[[int, int], AsyncIterator[bytes]],
    media_type: str = OCTETS,
) -> Response:
    """Bytes with an ETag in `headers`, or their one requested range; `stream(start, stop)` gives them unless HEAD.

    A range is ignored if `If-Range` names other bytes. Raises PreconditionFailed, RangeNotSatisfiable.
    """
    span = requested_range(request, size_bytes, headers["ETag"])
    start, stop = span or (0, size_bytes)
    more = {"Accept-Ranges": "bytes", "Content-Length": str(stop - start)}
    if span:
        more["Content-Range"] = f"bytes {start}-{stop - 1}/{size_bytes}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers={**headers, **more}, media_type=media_type)
    return StreamingResponse(stream(start, stop), status, {**headers, **more}, media_type=media_type)
