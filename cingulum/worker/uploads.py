"""Sending files to the central store: in parts, each with its hash, only those that are not there yet."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cingulum.worker.http import Refused, Server, Unreachable

_BLOCK_BYTES: Final = 4 << 20
_WHOLE_ANSWER_S: Final = 300.0  # the server reads every byte again, and says after a while that it still does
_READING_PAUSE_S: Final = 1.0
_TRIES: Final = 3
_SWEPT, _MISSING = "upload-swept", "part-missing"
_SPOILT: Final = frozenset({"hash-differs", "part-differs", "digest-mismatch"})
OnSent = Callable[[int, int], None]


class FileChanged(Exception):
    """The file was written to while it was sent: send it again when it rests."""


@dataclass(frozen=True)
class Landed:
    """A file whose every byte is stored under its hash."""

    upload_id: str
    sha256: str
    size_bytes: int


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's bytes, read once."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def content_digest(data: bytes) -> str:
    """The header that proves a part (RFC 9530).

    >>> content_digest(b"abc")
    'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:'
    """
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def upload(
    server: Server,
    path: Path,
    about: Mapping[str, object],
    *,
    sha256: str | None = None,
    resume: str | None = None,
    on_sent: OnSent | None = None,
) -> Landed:
    """Announce a file, send what the server wants of it, and wait until it is whole.

    `about` says what it is for: `name`, and `job_id` with `token`, or `copy_id`. `resume` is the id of an upload
    announced before. `on_sent` hears how many bytes are done, of how many.
    Raises FileChanged, Refused, Unreachable, and OSError where the file cannot be read.
    """
    before = identity_of(path)
    sha256 = sha256 or sha256_of(path)
    wanted = {**about, "size_bytes": before[0], "sha256": sha256}
    for attempt in range(1, _TRIES + 1):
        state: Mapping[str, Any] = _announced(server, wanted, resume if attempt == 1 else None)
        try:
            if state["state"] != "landed":
                state = _sent(server, path, state, sha256, on_sent)
        except Refused as refusal:
            if refusal.kind not in (_SWEPT, *_SPOILT) or attempt == _TRIES:
                raise
            if refusal.kind in _SPOILT and sha256_of(path) != sha256:
                raise FileChanged(f"{path.name} was written to while it was sent") from refusal
            continue
        if identity_of(path) != before:
            raise FileChanged(f"{path.name} was written to while it was sent")
        return Landed(str(state["id"]), sha256, before[0])
    raise AssertionError("the last attempt answers or raises")


def _sent(
    server: Server, path: Path, state: Mapping[str, Any], sha256: str, on_sent: OnSent | None
) -> Mapping[str, Any]:
    """The upload after its missing parts were sent and its end was announced."""
    for attempt in range(1, _TRIES + 1):
        _send(server, path, state, on_sent)
        try:
            return _landed(server, state, sha256)
        except Refused as refusal:
            if refusal.kind != _MISSING or attempt == _TRIES:
                raise
            state = {**state, "missing": refusal.body["missing"]}
    raise AssertionError("the last attempt answers or raises")


def _landed(server: Server, state: Mapping[str, Any], sha256: str) -> Mapping[str, Any]:
    """Announce the end of an upload and wait until the server has read all of it."""
    path = f"/uploads/{state['id']}/complete"
    while True:
        answer: dict[str, Any] = server.call("POST", path, json={"sha256": sha256}, answer_s=_WHOLE_ANSWER_S)
        if answer["state"] == "landed":
            return answer
        if server.stop.wait(_READING_PAUSE_S):
            raise Unreachable("the server was still reading when we had to stop")


def _announced(server: Server, wanted: Mapping[str, object], resume: str | None) -> dict[str, Any]:
    if resume is not None:
        try:
            state: dict[str, Any] = server.get(f"/uploads/{resume}")
        except Refused as refusal:
            if refusal.status != 404:
                raise
        else:
            if state["state"] != "swept":
                return state
    answer: dict[str, Any] = server.post("/uploads", wanted, once=True)
    return answer


def _send(server: Server, path: Path, state: Mapping[str, Any], on_sent: OnSent | None) -> None:
    size, part_bytes, missing = state["size_bytes"], state["part_bytes"], state["missing"]
    done = size - sum(min(part_bytes, size - n * part_bytes) for n in missing)
    with path.open("rb", buffering=0) as file:
        for n in missing:
            data = _read(file.fileno(), n * part_bytes, min(part_bytes, size - n * part_bytes))
            server.call(
                "PUT",
                f"/uploads/{state['id']}/parts/{n}",
                content=data,
                headers={"Content-Digest": content_digest(data), "Content-Type": "application/octet-stream"},
            )
            done += len(data)
            if on_sent:
                on_sent(done, size)


def _read(descriptor: int, offset: int, length: int) -> bytes:
    data = os.pread(descriptor, length, offset)
    while len(data) < length:
        more = os.pread(descriptor, length - len(data), offset + len(data))
        if not more:
            raise FileChanged("the file became shorter while it was sent")
        data += more
    return data


def identity_of(path: Path) -> tuple[int, int, int]:
    """What changes when a file is written to: size, time of the last write (ns), inode."""
    found = path.stat()
    return found.st_size, found.st_mtime_ns, found.st_ino
