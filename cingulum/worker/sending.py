"""Sends files to the central store in parts: each with its hash, several at a time, only those that are missing."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any, Final, Self

from cingulum.digests import Digests, Hasher
from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.http import Connection, Refused, Unreachable
from cingulum.worker.lab_file import LabFile
from cingulum.worker.reading import OpenFile

_ATTEMPTS: Final = 3
_COMPLETE_TIMEOUT_S: Final = 300.0  # the server reads every byte again, and answers 202 until it is done
_COMPLETE_PAUSE_S: Final = 1.0
_MISSING: Final = "part-missing"
_SWEPT: Final = "upload-swept"
_WRONG_BYTES: Final = frozenset({"hash-differs", "part-differs", "digest-mismatch"})


def content_digest(data: bytes) -> str:
    """The value of the header Content-Digest of a part (RFC 9530).

    >>> content_digest(b"abc")
    'sha-256=:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=:'
    """
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


@dataclass
class Pace:
    """A limit in bytes per second, shared by all threads; None for no limit."""

    bytes_per_s: float | None = None
    clock: Callable[[], float] = time.monotonic
    _free_at: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, size_bytes: int, stop: threading.Event) -> None:
        """Wait until that many bytes may be sent."""
        if not self.bytes_per_s:
            return
        with self._lock:
            now = self.clock()
            start = max(now, self._free_at)
            self._free_at = start + size_bytes / self.bytes_per_s
        stop.wait(start - now)


@dataclass(frozen=True)
class OpenUpload:
    """An upload on the server; `missing` has the numbers of the parts still to be sent."""

    id: str
    state: str
    size_bytes: int
    part_bytes: int
    missing: frozenset[int]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """From the server's JSON."""
        return cls(
            id=str(body["id"]),
            state=str(body["state"]),
            size_bytes=int(body["size_bytes"]),
            part_bytes=int(body["part_bytes"]),
            missing=frozenset(body["missing"]),
        )

    @property
    def is_landed(self) -> bool:
        """Whether the server has stored and verified all bytes."""
        return self.state == "landed"

    @property
    def parts(self) -> range:
        """Numbers of all parts."""
        return range(-(-self.size_bytes // self.part_bytes))

    def length_of(self, part: int) -> int:
        """Bytes of a part: the last one may be shorter."""
        return min(self.part_bytes, self.size_bytes - part * self.part_bytes)


@dataclass(frozen=True)
class SentFile:
    """A file of which the server has stored and verified every byte."""

    upload_id: str
    identity: FileIdentity
    digests: Digests


@dataclass
class Sender:
    """Sends files over one connection, `parts_at_once` parts of a file at a time."""

    connection: Connection
    pace: Pace = field(default_factory=Pace)
    parts_at_once: int = 1

    def send(
        self,
        file: LabFile,
        purpose: Mapping[str, object],
        *,
        digests: Digests | None = None,
        hash_first: bool = False,
        begun: Callable[[FileIdentity], str | None] = lambda _identity: None,
        on_announced: Callable[[str, FileIdentity], None] = lambda _id, _identity: None,
        on_sent: Callable[[int, int], None] = lambda _done, _of: None,
    ) -> SentFile:
        """Send a file and wait until the server has verified it.

        purpose       `name`, and `copy_id`, or `job_id` with `token`
        digests       of a recent read of the same bytes; without them the file is hashed while it is sent
        hash_first    hash it first, so that bytes which the server has are not sent; costs a second read
        begun         the id of an upload that was announced earlier for the file: parts that arrived are not sent again
        on_announced  called with the id of each new upload
        on_sent       called with the bytes done and the size in bytes

        Raises FileChanged, Refused, OSError, and Unreachable; what has arrived by then is not lost.
        """
        with OpenFile(file) as opened:
            upload_id = begun(opened.identity)
            # Only the first attempt relies on it: after wrong bytes, all are read and hashed again.
            first = digests or (opened.digests() if hash_first else None)
            for attempt in range(1, _ATTEMPTS + 1):
                upload = self._resumed(upload_id) if upload_id and attempt == 1 else None
                if upload is None:
                    upload = self._announced(opened, purpose, digests=first if attempt == 1 else None)
                    on_announced(upload.id, opened.identity)
                try:
                    proved = self._proved(opened, upload, first if attempt == 1 else None, on_sent)
                except Refused as refusal:
                    opened.check_unchanged()
                    if refusal.kind not in {_SWEPT, *_WRONG_BYTES} or attempt == _ATTEMPTS:
                        raise
                    continue
                if first is not None and proved != first:
                    raise FileChanged(f"{file.name} differs from what was read before")
                return SentFile(upload.id, opened.identity, proved)
        raise AssertionError("the last attempt returns or raises")

    def _resumed(self, upload_id: str) -> OpenUpload | None:
        try:
            upload = OpenUpload.of(self.connection.get(f"/uploads/{upload_id}"))
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        return None if upload.state == "swept" else upload

    def _announced(
        self, file: OpenFile, purpose: Mapping[str, object], *, digests: Digests | None
    ) -> OpenUpload:
        body = {**purpose, "size_bytes": file.identity.size_bytes}
        if digests is not None:
            body["sha256"] = digests.sha256
        return OpenUpload.of(self.connection.post("/uploads", body, idempotent=True))

    def _proved(
        self, file: OpenFile, upload: OpenUpload, digests: Digests | None, on_sent: Callable[[int, int], None]
    ) -> Digests:
        """Send what is missing until the server has verified the whole file; digests of the bytes sent."""
        for attempt in range(1, _ATTEMPTS + 1):
            if digests is None:
                digests = self._send_hashing(file, upload, on_sent)
            elif not upload.is_landed:
                self._send_parts(file, upload, sorted(upload.missing), on_sent)
            else:
                file.check_unchanged()
                return digests
            file.check_unchanged()
            try:
                self._complete(upload, digests)
            except Refused as refusal:
                if refusal.kind != _MISSING or attempt == _ATTEMPTS:
                    raise
                upload = replace(upload, missing=frozenset(refusal.body["missing"]))
            else:
                return digests
        raise AssertionError("the last attempt returns or raises")

    def _send_hashing(
        self, file: OpenFile, upload: OpenUpload, on_sent: Callable[[int, int], None]
    ) -> Digests:
        hasher = Hasher()
        self._send_parts(file, upload, upload.parts, on_sent, hasher)
        return hasher.digests()

    def _send_parts(
        self,
        file: OpenFile,
        upload: OpenUpload,
        parts: Iterable[int],
        on_sent: Callable[[int, int], None],
        hasher: Hasher | None = None,
    ) -> None:
        """Read these parts in order, and send those that are missing."""
        parts = list(parts)
        done_bytes = upload.size_bytes - sum(map(upload.length_of, parts))
        in_memory = threading.Semaphore(max(1, self.parts_at_once * 3 // 2))
        sent: list[Future[None]] = []
        failed = threading.Event()

        def send(part: int, data: bytes) -> None:
            try:
                self._send_part(upload, part, data)
            except BaseException:
                failed.set()
                raise
            finally:
                in_memory.release()

        with ThreadPoolExecutor(self.parts_at_once, thread_name_prefix="part") as pool:
            for part in parts:
                in_memory.acquire()
                if failed.is_set() or self.connection.stop.is_set():
                    break
                data = file.read(part * upload.part_bytes, upload.length_of(part))
                if hasher is not None:
                    hasher.update(data)
                if part in upload.missing:
                    sent.append(pool.submit(send, part, data))
                else:
                    in_memory.release()
                done_bytes += len(data)
                on_sent(done_bytes, upload.size_bytes)
        for future in sent:
            future.result()
        if self.connection.stop.is_set():
            raise Unreachable("stopped while a file was sent")

    def _send_part(self, upload: OpenUpload, part: int, data: bytes) -> None:
        self.pace.wait(len(data), self.connection.stop)
        self.connection.request(
            "PUT",
            f"/uploads/{upload.id}/parts/{part}",
            content=data,
            headers={"Content-Digest": content_digest(data), "Content-Type": "application/octet-stream"},
        )

    def _complete(self, upload: OpenUpload, digests: Digests) -> None:
        path, body = f"/uploads/{upload.id}/complete", {"sha256": digests.sha256}
        while self.connection.post(path, body, timeout_s=_COMPLETE_TIMEOUT_S)["state"] != "landed":
            if self.connection.stop.wait(_COMPLETE_PAUSE_S):
                raise Unreachable("stopped while the server still read the file")
