"""The rules of uploads: parts in any order, bytes immutable once landed, what may be swept and when.

Pure: time and digests are arguments; whoever calls has hashed the bytes and says what it found.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cingulum.digests import Digests
from libs.common.problem import BadRequest, Conflict
from libs.common.schemas.states import AttemptState, UploadState

SMALLEST_PART: Final = 8 * 2**20  # bytes; S3 asks for 5 MiB at least
MOST_PARTS: Final = 10_000  # S3's limit for one object
IDLE: Final = timedelta(days=7)  # a lab may be without a network over a holiday
MOST_BUNDLED: Final = 5_000
BUNDLE_BYTES: Final = 256 * 2**20
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


class PartDiffers(Conflict):
    """Another content was stored under this part's number: the file changed while it was sent; announce it anew."""

    slug = "part-differs"


class PartMissing(Conflict):
    """Not all parts are here; the answer's `missing` lists them."""

    slug = "part-missing"


class HashDiffers(Conflict):
    """The bytes that arrived are not those announced; all parts are wanted again."""

    slug = "hash-differs"


class UploadSwept(Conflict):
    """The upload was given up; announce the file anew."""

    slug = "upload-swept"
    detail = "This upload was given up: announce the file anew."


class LateToken(Conflict):
    """The attempt whose output this would be is over: drop it."""

    slug = "late-token"
    detail = "No running attempt of this job has this token: the attempt is over, do not repeat it."


class BadPart(BadRequest):
    """No part has this number or this size."""

    slug = "bad-part"


class BadBundle(BadRequest):
    """A bundle's list cannot be taken."""

    slug = "bad-bundle"


@dataclass(frozen=True)
class Part:
    """One stored part: its size and the SHA-256 of its bytes, checked when it came."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class Upload:
    """One announced file. `sha256` is the announced one, or null until the end; `found` is what our own read gave.

    `job_id` and `token` name the attempt whose output it is; `copy_id` the copy that it brings; both may be null.
    """

    id: UUID
    size_bytes: int
    part_bytes: int
    sha256: str | None = None
    state: UploadState = UploadState.ANNOUNCED
    parts: Mapping[int, Part] = field(default_factory=dict)
    found: Digests | None = None
    job_id: UUID | None = None
    token: int | None = None
    copy_id: UUID | None = None
    touched_at: datetime | None = None


def part_bytes(size_bytes: int) -> int:
    """Size of each part but the last: 8 MiB, more where the file would have over 10,000 parts.

    >>> part_bytes(10), part_bytes(83_000_000_000), part_bytes(1_000_000_000_000)
    (8388608, 8388608, 100663296)
    """
    return max(1, math.ceil(size_bytes / MOST_PARTS / SMALLEST_PART)) * SMALLEST_PART


def part_count(upload: Upload) -> int:
    """How many parts the file has; an empty file has none."""
    return math.ceil(upload.size_bytes / upload.part_bytes)


def part_span(upload: Upload, n: int) -> tuple[int, int]:
    """Where part `n` (from 0) starts and how many bytes it has. Raises BadPart.

    >>> part_span(Upload(UUID(int=1), size_bytes=25, part_bytes=10), 2)
    (20, 5)
    """
    if not 0 <= n < part_count(upload):
        raise BadPart(f"The file has parts 0 to {part_count(upload) - 1}; there is no part {n}.")
    start = n * upload.part_bytes
    return start, min(upload.part_bytes, upload.size_bytes - start)


def missing_parts(upload: Upload) -> list[int]:
    """Numbers of the parts that are still wanted, in order.

    >>> missing_parts(Upload(UUID(int=1), size_bytes=25, part_bytes=10, parts={1: Part(10, "ab")}))
    [0, 2]
    """
    if upload.state is UploadState.LANDED:
        return []
    return [n for n in range(part_count(upload)) if n not in upload.parts]


def announce(upload: Upload, known: Digests | None, now: datetime) -> Upload:
    """Start an upload. `known` is a landed object of the same store with the announced SHA-256: then nothing is sent.

    The caller holds the lock of that hash, which `remove_object` takes too, so the object cannot vanish meanwhile.
    """
    started = replace(upload, state=UploadState.ANNOUNCED, parts={}, found=None, touched_at=now)
    if known is None or upload.sha256 != known.sha256 or upload.size_bytes != known.size_bytes:
        return started
    return replace(started, state=UploadState.LANDED, found=known)


def put_part(upload: Upload, n: int, part: Part, now: datetime) -> Upload:
    """Note a part whose bytes are written. The same again changes nothing; other bytes are refused.

    Raises UploadSwept, BadPart (number or size), PartDiffers.
    """
    _not_swept(upload)
    _, size_bytes = part_span(upload, n)
    if part.size_bytes != size_bytes:
        raise BadPart(f"Part {n} has {size_bytes} bytes, not {part.size_bytes}.")
    if upload.state is UploadState.LANDED:
        if upload.parts and upload.parts.get(n) != part:
            raise PartDiffers(f"The upload has landed with another part {n}.")
        return upload
    if upload.parts.get(n, part) != part:
        raise PartDiffers(f"Part {n} was sent before with other bytes.")
    return replace(upload, state=UploadState.ARRIVING, parts={**upload.parts, n: part}, touched_at=now)


def check_whole(upload: Upload, claimed_sha256: str) -> None:
    """Before the full read at `complete`: all parts are here, and the claim is the announced one.

    Raises UploadSwept, PartMissing (with `missing`), HashDiffers.
    """
    _not_swept(upload)
    if missing := missing_parts(upload):
        raise PartMissing(f"{len(missing)} parts are missing.", extra={"missing": missing})
    if upload.sha256 not in {None, claimed_sha256}:
        raise HashDiffers("The SHA-256 is not the one announced.")


def land(upload: Upload, claimed_sha256: str, read: Digests, now: datetime) -> tuple[Upload, bool]:
    """The upload after a full read of its bytes, and whether it landed now (then UploadCompleted is said).

    Bytes other than claimed bring it back to its start, since no single part can be blamed: the caller commits that
    and answers HashDiffers. Landed already: nothing. Raises UploadSwept, PartMissing, HashDiffers.
    """
    check_whole(upload, claimed_sha256)
    if upload.state is UploadState.LANDED:
        if upload.found is None or upload.found.sha256 != claimed_sha256:
            raise HashDiffers("The upload has landed with another SHA-256.")
        return upload, False
    if (read.size_bytes, read.sha256) != (upload.size_bytes, claimed_sha256):
        return replace(upload, state=UploadState.ANNOUNCED, parts={}, touched_at=now), False
    return replace(upload, state=UploadState.LANDED, sha256=read.sha256, found=read, touched_at=now), True


def may_sweep(upload: Upload, attempt: AttemptState | None, kept: frozenset[UUID], now: datetime) -> bool:
    """Whether an upload can be given up; once true it stays true, so a late look is as good as a fresh one.

    `attempt` is scheduler's word on the upload's token (null when no such attempt is known), `kept` the uploads that
    this attempt's accepted completion names. An output goes when its attempt ended without naming it;
    any other upload when it did not land and nobody touched it for a week.
    """
    if upload.state is UploadState.SWEPT:
        return False
    if upload.token is not None:
        over = attempt is not None and attempt.has_ended
        return over and not (attempt is AttemptState.REGISTERED and upload.id in kept)
    idle = upload.touched_at is not None and now - upload.touched_at >= IDLE
    return idle and upload.state is not UploadState.LANDED


def sweep(upload: Upload) -> Upload:
    """The upload given up: its parts may be removed, and its object if nobody else needs it (`may_remove_object`)."""
    return replace(upload, state=UploadState.SWEPT, parts={})


def may_remove_object(sha256: str, uploads: Iterable[Upload]) -> bool:
    """Whether no landed upload of this store has these bytes, under the lock of the hash. `uploads` is all of them.

    Landed uploads are the object's reference counts: a registered output's upload stays landed until retention.
    """
    return not any(
        upload.state is UploadState.LANDED and upload.found is not None and upload.found.sha256 == sha256
        for upload in uploads
    )


@dataclass(frozen=True)
class BundleEntry:
    """One small file of a bundle, in the order in which its bytes follow."""

    size_bytes: int
    sha256: str


def check_bundle(entries: Sequence[BundleEntry]) -> list[tuple[int, int]]:
    """Start and end of each file in the bundle's bytes; all files land by one fsync and one commit, or none does.

    The same file twice is stored once. Raises BadBundle: no file, over 5,000, over 256 MiB, a senseless size or hash.
    >>> check_bundle([BundleEntry(3, "a" * 64), BundleEntry(0, "b" * 64), BundleEntry(4, "c" * 64)])
    [(0, 3), (3, 3), (3, 7)]
    """
    if not 0 < len(entries) <= MOST_BUNDLED:
        raise BadBundle(f"A bundle holds 1 to {MOST_BUNDLED} files, not {len(entries)}.")
    spans: list[tuple[int, int]] = []
    end = 0
    for i, entry in enumerate(entries):
        if entry.size_bytes < 0 or not _SHA256.match(entry.sha256):
            raise BadBundle(
                f"File {i}: the size is negative, or the SHA-256 is not 64 lower-case hex digits."
            )
        spans.append((end, end + entry.size_bytes))
        end += entry.size_bytes
    if end > BUNDLE_BYTES:
        raise BadBundle(
            f"A bundle holds {BUNDLE_BYTES} bytes at most, not {end}: upload large files by parts."
        )
    return spans


def check_bundled(entries: Sequence[BundleEntry], found: Sequence[Digests]) -> None:
    """After the bytes are read: each file is what its entry says, or the whole bundle is refused (HashDiffers)."""
    wrong = [
        i
        for i, (entry, read) in enumerate(zip(entries, found, strict=True))
        if (entry.size_bytes, entry.sha256) != (read.size_bytes, read.sha256)
    ]
    if wrong:
        raise HashDiffers("Some files have other bytes than said.", extra={"files": wrong})


def _not_swept(upload: Upload) -> None:
    if upload.state is UploadState.SWEPT:
        raise UploadSwept
