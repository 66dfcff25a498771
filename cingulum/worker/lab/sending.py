"""Bringing files to the central store: small ones together, large ones in parts while they are read."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from cingulum.worker.below import LabFile
from cingulum.worker.http import Refused, Server, Unreachable
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab.reading import Digests, FileChanged, Hasher, Identity, OpenFile
from cingulum.worker.uploads import content_digest

PARTS_AT_ONCE: Final = 4
PARTS_IN_MEMORY: Final = 6
_SPOILT: Final = frozenset({"hash-differs", "part-differs", "upload-swept"})
_ASK_AGAIN_S: Final = 2.0
OnSent = Callable[[int, int], None]


@dataclass
class Pace:
    """At most so many bytes a second, over all threads; None for no limit."""

    bytes_per_s: float | None = None
    _free_at: float = field(default=0.0, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def wait(self, size_bytes: int, stop: threading.Event) -> None:
        """Wait for one's turn to send that many bytes."""
        if not self.bytes_per_s:
            return
        with self._lock:
            now = time.monotonic()
            begins = max(now, self._free_at)
            self._free_at = begins + size_bytes / self.bytes_per_s
        stop.wait(begins - now)


@dataclass(frozen=True)
class SmallFile:
    """A file that was read whole, and the copy that it brings."""

    copy_id: str
    name: str
    data: bytes
    found: Digests


@dataclass
class Sender:
    """Sends files for copies that the server expects. `journal` remembers uploads across restarts."""

    server: Server
    journal: Journal
    pace: Pace = field(default_factory=Pace)

    def send_together(self, files: Sequence[SmallFile]) -> None:
        """Land small files in one request. Raises Refused if one of them is wrong: then none has landed."""
        listed = [
            {
                "size_bytes": file.found.size_bytes,
                "sha256": file.found.sha256,
                "copy_id": file.copy_id,
                "name": file.name,
            }
            for file in files
        ]
        body = json.dumps({"files": listed}).encode() + b"\n" + b"".join(file.data for file in files)
        self.pace.wait(len(body), self.server.stop)
        headers = {"Content-Type": "application/octet-stream", "Idempotency-Key": str(uuid4())}
        self.server.call("POST", "/bundles", content=body, headers=headers)

    def send(
        self, path: LabFile, name: str, copy_id: str, known: Digests | None, on_sent: OnSent
    ) -> tuple[Identity, Digests]:
        """Send a file while reading it once; what is there from before is read, but not sent again.

        `known` are its digests if it was read lately: then the server may have it already. Raises FileChanged,
        Refused, Unreachable, OSError; what has arrived is not sent again after Unreachable.
        """
        with OpenFile(path) as file:
            begun = self.journal.upload_of(copy_id, file.identity)
            state = self._begun(begun) if begun else None
            if state is None:
                state = self._announced(file, name, copy_id, known)
            try:
                found = known
                if known is None or state["missing"]:
                    found = self._stream(file, state, on_sent)
                assert found is not None  # noqa: S101 - for the type checker
                file.check_unchanged()
                if state["state"] != "landed" or known is None:
                    self._complete(state, found)
            except FileChanged:
                self.journal.forget_upload(copy_id)
                raise
            except Refused as refusal:
                self.journal.forget_upload(copy_id)
                if refusal.kind in _SPOILT:
                    raise FileChanged(
                        f"{path.name} is not what was sent before: it is announced anew"
                    ) from refusal
                raise
            self.journal.forget_upload(copy_id)
            return file.identity, found

    def _begun(self, upload_id: str) -> Mapping[str, Any] | None:
        try:
            state: dict[str, Any] = self.server.get(f"/uploads/{upload_id}")
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None
        return None if state["state"] == "swept" else state

    def _announced(self, file: OpenFile, name: str, copy_id: str, known: Digests | None) -> Mapping[str, Any]:
        wanted: dict[str, Any] = {"size_bytes": file.identity.size_bytes, "copy_id": copy_id, "name": name}
        if known is not None:
            wanted["sha256"] = known.sha256
        state: dict[str, Any] = self.server.post("/uploads", wanted, once=True)
        self.journal.began(copy_id, str(state["id"]), file.identity)
        return state

    def _stream(self, file: OpenFile, state: Mapping[str, Any], on_sent: OnSent) -> Digests:
        """Read all parts in order; send those that are missing, some at a time."""
        hasher, missing = Hasher(), set(state["missing"])
        size_bytes, part_bytes = file.identity.size_bytes, int(state["part_bytes"])
        room = threading.Semaphore(PARTS_IN_MEMORY)
        sent: list[Future[None]] = []
        failed = threading.Event()

        def send(number: int, data: bytes) -> None:
            try:
                self._put(state, number, data)
            except BaseException:
                failed.set()
                raise
            finally:
                room.release()

        with ThreadPoolExecutor(PARTS_AT_ONCE, thread_name_prefix="part") as pool:
            for number in range(-(-size_bytes // part_bytes)):
                data = file.read(number * part_bytes, min(part_bytes, size_bytes - number * part_bytes))
                hasher.update(data)
                if number in missing:
                    room.acquire()
                    if failed.is_set() or self.server.stop.is_set():
                        break
                    sent.append(pool.submit(send, number, data))
                on_sent(min((number + 1) * part_bytes, size_bytes), size_bytes)
        for one in sent:
            one.result()
        if self.server.stop.is_set():
            raise Unreachable("stopped")
        return hasher.digests()

    def _put(self, state: Mapping[str, Any], number: int, data: bytes) -> None:
        self.pace.wait(len(data), self.server.stop)
        self.server.call(
            "PUT",
            f"/uploads/{state['id']}/parts/{number}",
            content=data,
            headers={"Content-Digest": content_digest(data), "Content-Type": "application/octet-stream"},
        )

    def _complete(self, state: Mapping[str, Any], found: Digests) -> None:
        """The server reads all bytes again; it may need a while."""
        path, said = f"/uploads/{state['id']}/complete", {"sha256": found.sha256}
        while self.server.call("POST", path, json=said)["state"] != "landed":
            if self.server.stop.wait(_ASK_AGAIN_S):
                raise Unreachable("stopped")
