"""The rules of uploads: parts in any order, bytes immutable once landed, what may be swept and when.

Pure: time and digests are arguments; the caller has hashed the bytes.
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
    """Different bytes were stored under this part's number: the file changed while it was sent; announce it again."""

    slug = "part-differs"


class PartMissing(Conflict):
    """Not all parts are stored; `missing` in the response lists the others."""

    slug = "part-missing"


class HashDiffers(Conflict):
    """The uploaded bytes are not those announced; send all parts again."""

    slug = "hash-differs"


class UploadSwept(Conflict):
    """The upload was abandoned and swept; announce the file again."""

    slug = "upload-swept"
    detail = "This upload was abandoned and its parts were deleted: announce the file again."


class BadPart(BadRequest):
    """The upload has no part with this number, or the part has another size."""

    slug = "bad-part"


class BadBundle(BadRequest):
    """The list of files at the start of a bundle is invalid."""

    slug = "bad-bundle"


@dataclass(frozen=True)
class UploadPart:
    """A stored part: its size and the SHA-256 of its bytes, computed when it arrived."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class AnnouncedUpload:
    """An announced file. `sha256` is the announced one, or None until the end; `digests` are those of our own read.

    `job_id` and `token` name the attempt whose output it is, `copy_id` the copy whose bytes it is; both may be None.
    """

    id: UUID
    size_bytes: int
    part_bytes: int
    sha256: str | None = None
    state: UploadState = UploadState.ANNOUNCED
    parts: Mapping[int, UploadPart] = field(default_factory=dict)
    digests: Digests | None = None
    job_id: UUID | None = None
    token: int | None = None
    copy_id: UUID | None = None
    touched_at: datetime | None = None


def part_bytes(size_bytes: int) -> int:
    """Size of each part but the last: 8 MiB, or more if the file would have over 10,000 parts.

    >>> part_bytes(10), part_bytes(83_000_000_000), part_bytes(1_000_000_000_000)
    (8388608, 8388608, 100663296)
    """
    return max(1, math.ceil(size_bytes / MOST_PARTS / SMALLEST_PART)) * SMALLEST_PART


def part_count(upload: AnnouncedUpload) -> int:
    """How many parts the file has; an empty file has none."""
    return math.ceil(upload.size_bytes / upload.part_bytes)


def part_span(upload: AnnouncedUpload, n: int) -> tuple[int, int]:
    """Offset and size of part `n` (from 0). Raises BadPart.

    >>> part_span(AnnouncedUpload(UUID(int=1), size_bytes=25, part_bytes=10), 2)
    (20, 5)
    """
    if not 0 <= n < part_count(upload):
        raise BadPart(f"The file has parts 0 to {part_count(upload) - 1}; part {n} does not exist.")
    start = n * upload.part_bytes
    return start, min(upload.part_bytes, upload.size_bytes - start)


def missing_parts(upload: AnnouncedUpload) -> list[int]:
    """Numbers of the parts still to be sent, in order.

    >>> missing_parts(AnnouncedUpload(UUID(int=1), size_bytes=25, part_bytes=10, parts={1: UploadPart(10, "ab")}))
    [0, 2]
    """
    if upload.state is UploadState.LANDED:
        return []
    return [n for n in range(part_count(upload)) if n not in upload.parts]


def announce(upload: AnnouncedUpload, known: Digests | None, now: datetime) -> AnnouncedUpload:
    """Start an upload. `known` is a landed object of the same store with the announced SHA-256: then nothing is sent.

    The caller holds the lock of that hash, which removing an object takes too, so the object cannot vanish meanwhile.
    """
    started = replace(upload, state=UploadState.ANNOUNCED, parts={}, digests=None, touched_at=now)
    if known is None or upload.sha256 != known.sha256 or upload.size_bytes != known.size_bytes:
        return started
    return replace(started, state=UploadState.LANDED, digests=known)


def put_part(upload: AnnouncedUpload, n: int, part: UploadPart, now: datetime) -> AnnouncedUpload:
    """Add a part whose bytes are written. The same again changes nothing; other bytes are refused.

    Raises UploadSwept, BadPart (number or size), PartDiffers.
    """
    _check_not_swept(upload)
    _, size_bytes = part_span(upload, n)
    if part.size_bytes != size_bytes:
        raise BadPart(f"Part {n} has {size_bytes} bytes, not {part.size_bytes}.")
    if upload.state is UploadState.LANDED:
        if upload.parts and upload.parts.get(n) != part:
            raise PartDiffers(f"The upload is complete, and its part {n} has other bytes.")
        return upload
    if upload.parts.get(n, part) != part:
        raise PartDiffers(f"Part {n} was sent before with other bytes.")
    return replace(upload, state=UploadState.ARRIVING, parts={**upload.parts, n: part}, touched_at=now)


def check_complete(upload: AnnouncedUpload, claimed_sha256: str) -> None:
    """Before the full read at `complete`: all parts are stored, and the claimed hash is the announced one.

    Raises UploadSwept, PartMissing (with `missing`), HashDiffers.
    """
    _check_not_swept(upload)
    if missing := missing_parts(upload):
        raise PartMissing(f"{len(missing)} parts are missing.", extra={"missing": missing})
    if upload.sha256 not in {None, claimed_sha256}:
        raise HashDiffers("The SHA-256 differs from the announced one.")


def land(
    upload: AnnouncedUpload, claimed_sha256: str, digests: Digests, now: datetime
) -> tuple[AnnouncedUpload, bool]:
    """The upload after a full read of its bytes, and whether it landed now (then UploadCompleted is published).

    Bytes other than claimed reset it to its start, since no single part can be blamed: the caller commits that
    and answers HashDiffers. If it has landed already, nothing changes. Raises UploadSwept, PartMissing, HashDiffers.
    """
    check_complete(upload, claimed_sha256)
    if upload.state is UploadState.LANDED:
        if upload.digests is None or upload.digests.sha256 != claimed_sha256:
            raise HashDiffers("The upload is complete, with another SHA-256.")
        return upload, False
    if (digests.size_bytes, digests.sha256) != (upload.size_bytes, claimed_sha256):
        return replace(upload, state=UploadState.ANNOUNCED, parts={}, touched_at=now), False
    landed = replace(upload, state=UploadState.LANDED, sha256=digests.sha256, digests=digests, touched_at=now)
    return landed, True


def may_sweep(
    upload: AnnouncedUpload, attempt: AttemptState | None, outputs: frozenset[UUID], now: datetime
) -> bool:
    """Whether an upload can be swept; once true it stays true, so the state of the attempt may be old.

    `attempt` is the state of the upload's attempt (None if no such attempt is known), `outputs` the uploads that
    this attempt's accepted completion names. An output is swept when its attempt ended without naming it,
    any other upload when it did not land and was not touched for a week.
    """
    if upload.state is UploadState.SWEPT:
        return False
    if upload.token is not None:
        is_over = attempt is not None and attempt.has_ended
        return is_over and not (attempt is AttemptState.REGISTERED and upload.id in outputs)
    is_idle = upload.touched_at is not None and now - upload.touched_at >= IDLE
    return is_idle and upload.state is not UploadState.LANDED


def sweep(upload: AnnouncedUpload) -> AnnouncedUpload:
    """The swept upload: its parts may be removed, and its object if no other upload needs it (`may_remove_object`)."""
    return replace(upload, state=UploadState.SWEPT, parts={})


def may_remove_object(sha256: str, uploads: Iterable[AnnouncedUpload]) -> bool:
    """Whether no landed upload of this store has these bytes, under the lock of the hash. `uploads` is all of them.

    Landed uploads are the object's reference counts: a registered output's upload stays landed until retention.
    """
    return not any(
        upload.state is UploadState.LANDED and upload.digests is not None and upload.digests.sha256 == sha256
        for upload in uploads
    )


@dataclass(frozen=True)
class BundleEntry:
    """One small file of a bundle, in the order of its bytes."""

    size_bytes: int
    sha256: str


def check_bundle(entries: Sequence[BundleEntry]) -> list[tuple[int, int]]:
    """Start and end of each file in the bundle's bytes; all files land by one fsync and one commit, or none does.

    The same file twice is stored once. Raises BadBundle: no file, over 5,000, over 256 MiB, an invalid size or hash.
    >>> check_bundle([BundleEntry(3, "a" * 64), BundleEntry(0, "b" * 64), BundleEntry(4, "c" * 64)])
    [(0, 3), (3, 3), (3, 7)]
    """
    if not 0 < len(entries) <= MOST_BUNDLED:
        raise BadBundle(f"A bundle contains 1 to {MOST_BUNDLED} files, not {len(entries)}.")
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
            f"A bundle contains at most {BUNDLE_BYTES} bytes, not {end}: upload large files in parts."
        )
    return spans


def check_bundled(entries: Sequence[BundleEntry], digests: Sequence[Digests]) -> None:
    """After the bytes are read: raise HashDiffers unless each file is as its entry declares."""
    wrong = [
        i
        for i, (entry, digest) in enumerate(zip(entries, digests, strict=True))
        if (entry.size_bytes, entry.sha256) != (digest.size_bytes, digest.sha256)
    ]
    if wrong:
        raise HashDiffers("The bytes of some files differ from the declared hashes.", extra={"files": wrong})


def _check_not_swept(upload: AnnouncedUpload) -> None:
    if upload.state is UploadState.SWEPT:
        raise UploadSwept
