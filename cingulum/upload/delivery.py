"""Sends files of one session to the central store, and waits until it has verified them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cingulum.digests import Digests
from cingulum.file_identity import FileChanged
from cingulum.http import Connection, Refused
from cingulum.scan import TreeFile
from cingulum.worker.lab.bundles import SMALL_BYTES, SmallFile, batches, send_bundle
from cingulum.worker.lab_file import LabFile
from cingulum.worker.reading import read_small
from cingulum.worker.sending import Pace, Sender

VERIFIED: Final = "verified"
SUSPECT: Final = "suspect"
_FOLDERS: Final = 5  # lab, Subjects, subject, date, number
_PARTS_AT_ONCE: Final = 4
_PAUSE_S: Final = 0.25
_CHANGED: Final = "it was written to meanwhile"
OnSent = Callable[[int], None]


@dataclass(frozen=True)
class ReadyFile:
    """A file that was read, and the copy of the central store that expects it."""

    file: TreeFile
    source: LabFile
    digests: Digests
    copy_id: str


@dataclass(frozen=True)
class Delivery:
    """Sends to one repository of the central store. `verify_s`: how long it waits until the store has verified."""

    connection: Connection
    repository: str
    verify_s: float = 60.0

    def fetch_copies(self, session_id: str) -> dict[str, dict[str, Any]]:
        """The copies of a session's current versions in the repository, by their path in the session."""
        rows = self.connection.rows("/copies", session=session_id, repository=self.repository)
        return {str(row["relative_path"]).split("/", _FOLDERS)[-1]: row for row in rows}

    def send(self, files: Sequence[ReadyFile], on_sent: OnSent = lambda _n: None) -> dict[str, str]:
        """Send files, small ones together; why some were not stored, by path.

        `on_sent` gets the bytes of each piece. Raises Unreachable; what was sent by then need not be sent again.
        """
        failed: dict[str, str] = {}
        small = [ready for ready in files if ready.digests.size_bytes <= SMALL_BYTES]
        for batch in batches(small, lambda ready: ready.digests.size_bytes):
            failed.update(self._send_together(batch, on_sent))
        for ready in files:
            if ready.digests.size_bytes > SMALL_BYTES:
                failed.update(self._send_alone(ready, on_sent))
        return failed

    def wait_until_verified(
        self, session_id: str, before: Mapping[str, Mapping[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """These copies, once each is verified or has become suspect, or after `verify_s`."""
        until = time.monotonic() + self.verify_s
        while True:
            copies = self.fetch_copies(session_id)
            present = {path: copies[path] for path in before if path in copies}
            is_done = all(
                copy["state"] == VERIFIED or (copy["state"] == SUSPECT and copy != before[path])
                for path, copy in present.items()
            )
            if is_done or time.monotonic() > until or self.connection.stop.wait(_PAUSE_S):
                return present

    def _send_together(self, batch: Sequence[ReadyFile], on_sent: OnSent) -> Iterator[tuple[str, str]]:
        bundle: list[SmallFile] = []
        for ready in batch:
            try:
                _, digests, data = read_small(ready.source)
            except (FileChanged, OSError) as error:
                yield ready.file.path, f"not read: {error}"
                continue
            if digests != ready.digests:
                yield ready.file.path, _CHANGED
            else:
                bundle.append(SmallFile(ready.copy_id, ready.file.path, data, digests))
        try:
            if bundle:
                send_bundle(self.connection, bundle, Pace())
        except Refused:
            # One of them is refused, and none was stored: alone, each has an answer of its own.
            names = {item.name for item in bundle}
            for ready in batch:
                if ready.file.path in names:
                    yield from self._send_alone(ready, on_sent)
            return
        on_sent(sum(len(item.data) for item in bundle))

    def _send_alone(self, ready: ReadyFile, on_sent: OnSent) -> Iterator[tuple[str, str]]:
        done = 0

        def advance(done_bytes: int, _of: int) -> None:
            nonlocal done
            on_sent(done_bytes - done)
            done = done_bytes

        sender = Sender(self.connection, parts_at_once=_PARTS_AT_ONCE)
        purpose = {"copy_id": ready.copy_id, "name": ready.file.path}
        try:
            sender.send(
                ready.source,
                purpose,
                digests=ready.digests,
                begun=lambda identity: self._find_upload(ready.copy_id, identity.size_bytes),
                on_sent=advance,
            )
        except FileChanged:
            yield ready.file.path, _CHANGED
        except OSError as error:
            yield ready.file.path, f"not read: {error}"
        except Refused as refusal:
            yield ready.file.path, str(refusal)

    def _find_upload(self, copy_id: str, size_bytes: int) -> str | None:
        """An upload for the copy that was interrupted: what has arrived of it is not sent again."""
        open_ones = self.connection.rows("/uploads", copy_id=copy_id, state="announced,arriving")
        return next((str(row["id"]) for row in open_ones if row["size_bytes"] == size_bytes), None)
