"""Acknowledged parts as files whose names hold their metadata.

The name holds number, serial, SHA-256 and (of part 0) MD5, so that a part and its digest appear in one atomic step.
A part sent again gets the next serial; the highest is the part, and only lower ones are ever removed. So of two
senders at once one wins, and neither removes the other's acknowledged bytes.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from cingulum.digests import Digests
from libs.common.storage.disk import Draft, fsync_folder
from libs.common.storage.problems import PartRefused
from libs.common.storage.store import PendingUpload, StorePart

_NAME = re.compile(r"(?P<number>\d{5})-(?P<serial>\d{6})-(?P<sha256>[0-9a-f]{64})(-(?P<md5>[0-9a-f]{32}))?")


@dataclass(frozen=True)
class HeldPart:
    """A part, its file, and how often the same number came before; md5 is empty but for part 0."""

    part: StorePart
    serial: int
    md5: str
    path: Path

    @property
    def digests(self) -> Digests:
        return Digests(size_bytes=self.part.size_bytes, sha256=self.part.sha256, md5=self.md5)


def part_name(number: int, serial: int, digest: Digests) -> str:
    """The file name of a part.

    >>> part_name(3, 0, Digests(sha256="ab" * 32, md5="", size_bytes=5))[:16]
    '00003-000000-aba'
    """
    return f"{number:05d}-{serial:06d}-{digest.sha256}" + (f"-{digest.md5}" if digest.md5 else "")


def parse_part_name(name: str, size_bytes: int, path: Path) -> HeldPart | None:
    """The parts of a name written by `part_name`; None for other names.

    >>> parse_part_name("00003-000001-" + "ab" * 32, size_bytes=5, path=Path()).serial
    1
    """
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    part = StorePart(int(match["number"]), match["sha256"], size_bytes)
    return HeldPart(part, int(match["serial"]), match["md5"] or "", path)


def newest_of_each(parts: list[HeldPart]) -> list[HeldPart]:
    """The part that counts under each number, by number."""
    ordered = sorted(parts, key=lambda part: (part.part.number, part.serial, part.part.sha256))
    return list({part.part.number: part for part in ordered}.values())


def held_parts(folder: Path) -> list[HeldPart]:
    """The parts of an upload, by number."""
    return newest_of_each(_all_parts(folder))


def keep_part(draft: Draft, number: int, digest: Digests) -> StorePart:
    """Name a written draft as part `number`; it is acknowledged once this returns."""
    folder = draft.path.parent
    before = [earlier for earlier in _all_parts(folder) if earlier.part.number == number]
    newest = newest_of_each(before)[0] if before else None
    part = StorePart(number, digest.sha256, digest.size_bytes)
    try:
        if newest is None or newest.part != part:
            serial = newest.serial + 1 if newest else 0
            draft.seal().replace(folder / part_name(number, serial, digest))
        fsync_folder(folder)
    except FileNotFoundError:
        raise PartRefused(
            "The upload was discarded while this part was received: send all its parts again."
        ) from None
    for earlier in before:
        if earlier.part != part:
            earlier.path.unlink(missing_ok=True)
    return part


def pending_uploads(tmp: Path) -> list[PendingUpload]:
    """Everything under `tmp`, oldest write first."""
    uploads = [_pending(folder) for folder in tmp.iterdir() if folder.is_dir() and is_uuid(folder.name)]
    return sorted(
        (upload for upload in uploads if upload), key=lambda upload: (upload.touched_at, upload.upload_id)
    )


def is_uuid(name: str) -> bool:
    """Folders of other names are not ours, as the `lost+found` of a disk is not."""
    try:
        return str(UUID(name)) == name
    except ValueError:
        return False


def _pending(folder: Path) -> PendingUpload | None:
    try:
        times = [folder.stat().st_mtime, *(entry.stat().st_mtime for entry in os.scandir(folder))]
    except FileNotFoundError:  # assembled or discarded meanwhile
        return None
    parts = held_parts(folder)
    size_bytes = sum(each.part.size_bytes for each in parts)
    return PendingUpload(UUID(folder.name), len(parts), size_bytes, datetime.fromtimestamp(max(times), UTC))


def _all_parts(folder: Path) -> list[HeldPart]:
    parts = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:
        return []
    for entry in entries:
        try:
            part = parse_part_name(entry.name, entry.stat().st_size, Path(entry.path))
        except FileNotFoundError:  # replaced by a newer one meanwhile
            continue
        if part is not None:
            parts.append(part)
    return parts
