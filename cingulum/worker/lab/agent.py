"""One lab's agent: fetches its orders, reads each file once, uploads and verifies it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cingulum.digests import Digests
from cingulum.file_identity import FileChanged, FileIdentity
from cingulum.http import Connection, Refused
from cingulum.sizes import format_size
from cingulum.worker.lab.bundles import SMALL_BYTES, SmallFile, batches, send_bundle
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab.orders import LabCopy, Order, fetch_orders
from cingulum.worker.lab_file import FileSkipped, LabFile
from cingulum.worker.reading import read_digests, read_small
from cingulum.worker.sending import Pace, Sender
from cingulum.worker.spelled_paths import SpelledPaths, SpelledTwice

PARTS_AT_ONCE: Final = 4
DIGESTS_VALID_S: Final = 3_600.0  # older digests do not show what is on the disk now
RECHECK_S: Final = 600.0  # a copy that was sent or proved, and is still ordered, is handled again after this
ABSENT_LINES: Final = 20  # absent files that a round reports by name; of the others it reports how many
RETRY_S: Final = 5.0  # after a failure; twice as long after each further one
Report = Callable[[str], None]
OnSent = Callable[[str, int, int], None]


@dataclass
class Round:
    """The result of handling the orders once.

    `absent` files are not on this disk; `unsettled` ones are still being written; `skipped` ones are reached by a link
    only, or are not regular files; `waiting` ones are handled again later.
    """

    sent: int = 0
    sent_bytes: int = 0
    proved: int = 0
    absent: int = 0
    unsettled: int = 0
    waiting: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was done, and nothing is left for the next round."""
        return not (self.sent or self.proved or self.unsettled or self.failed)


@dataclass
class LabAgent:
    """Serves one repository, whose files are below `root` as `<lab>/Subjects/<subject>/<date>/<number>/…`.

    A folder may be spelled otherwise, as `1` for session `001`. No link below `root` is followed. Files that were
    written to in the last `settle_s` seconds are not touched yet.
    `report` gets messages for people, `on_sent` the progress of a large file: path, bytes done, size in bytes.
    """

    connection: Connection
    journal: Journal
    root: Path
    repository: str
    settle_s: float = 2.0
    pace: Pace = field(default_factory=Pace)
    report: Report = print
    on_sent: OnSent = lambda _path, _done, _of: None
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)  # how many, not before
    _reported: set[str] = field(default_factory=set, init=False)  # skips as reported, absent paths
    _spelled: dict[str, str] = field(default_factory=dict, init=False)  # paths on this disk that differ

    def run_once(self) -> Round:
        """Fetch the orders once, and do what can be done: small files first, raw data last.

        Raises Unreachable if the server does not come back; what was done before is kept.
        """
        result = Round()
        ready = sorted(self._ready(result), key=lambda item: (item[1].size_bytes, item[0].relative_path))
        small = [item for item in ready if item[1].size_bytes <= SMALL_BYTES]
        for batch in batches(small, lambda item: item[1].size_bytes):
            self._bring_together([order for order, _ in batch], result)
        for order, _ in ready[len(small) :]:
            self._bring(order, result)
        return result

    def run(self, every_s: float = 5.0) -> None:
        """Repeat this until the connection's `stop` is set."""
        while not self.connection.stop.is_set():
            self.run_once()
            self.connection.stop.wait(every_s)

    def _ready(self, result: Round) -> Iterator[tuple[Order, FileIdentity]]:
        """Orders whose files are here and no longer being written, without those handled recently."""
        spelled = SpelledPaths(self.root)
        absent: list[str] = []
        for order in fetch_orders(self.connection, self.repository):
            if self._failures.get(order.relative_path, (0, 0.0))[1] > self.journal.now():
                result.waiting += 1
                continue
            try:
                status = self._locate(order, spelled)
            except (FileNotFoundError, NotADirectoryError):
                result.absent += 1
                if not order.is_lost:
                    absent.append(order.relative_path)
                continue
            except (FileSkipped, SpelledTwice) as reason:
                self._skip(order, reason, result)
                continue
            except OSError as error:
                # A folder that may not be entered, or a name that this file system cannot have.
                self._fail(order, error, result)
                continue
            identity = FileIdentity.of(status)
            own = order.own if self._is_due(order.own, identity) else None
            central = order.central if self._is_due(order.central, identity) else None
            if own is None and central is None:
                result.waiting += 1
            elif self.journal.now() - status.st_mtime < self.settle_s:
                result.unsettled += 1
            else:
                yield Order(order.relative_path, own, central), identity
        self._list_absent(absent, spelled)

    def _locate(self, order: Order, spelled: SpelledPaths) -> os.stat_result:
        """The status of an order's file, under its registered path or another spelling of it."""
        self._spelled.pop(order.relative_path, None)
        try:
            return self._file(order).stat()
        except (FileNotFoundError, NotADirectoryError):
            other = spelled.find(order.relative_path)
            if other is None:
                raise
            self._spelled[order.relative_path] = other
            return self._file(order).stat()

    def _file(self, order: Order) -> LabFile:
        return LabFile(self.root, self._spelled.get(order.relative_path, order.relative_path))

    def _list_absent(self, paths: Sequence[str], spelled: SpelledPaths) -> None:
        """Report the first of the files that are newly not on this disk, with what is there instead."""
        new = [path for path in paths if path not in self._reported]
        self._reported.update(new)
        for path in new[:ABSENT_LINES]:
            self.report(f"{path}: not on this disk; {spelled.nearest(path)}")
        if len(new) > ABSENT_LINES:
            self.report(f"{len(new) - ABSENT_LINES} more files are not on this disk")

    def _skip(self, order: Order, reason: OSError, result: Round) -> None:
        line = f"{order.relative_path}: skipped: {reason}"
        if line not in self._reported:
            self._reported.add(line)
            self.report(line)
        result.skipped.append(order.relative_path)

    def _is_due(self, copy: LabCopy | None, identity: FileIdentity) -> bool:
        """Whether a copy's file changed since it was sent or verified, or is still ordered long afterwards."""
        if copy is None:
            return False
        done = self.journal.done_of(copy.id)
        if done is None or done.identity != identity:
            return True
        return self.journal.now() - done.at > RECHECK_S and (copy.order_proof or copy.state != "suspect")

    def _bring_together(self, batch: Sequence[Order], result: Round) -> None:
        """Read small files, send those with the registered bytes in one request, and verify all of them."""
        complete: list[tuple[Order, FileIdentity, Digests]] = []
        files: list[SmallFile] = []
        for order in batch:
            try:
                identity, digests, data = read_small(self._file(order))
            except (FileChanged, OSError) as error:
                self._fail(order, error, result)
                continue
            complete.append((order, identity, digests))
            if order.central is not None and self._agrees(order, digests):
                files.append(SmallFile(order.central.id, order.relative_path, data, digests))
        try:
            if files:
                send_bundle(self.connection, files, self.pace)
        except Refused as refusal:
            self.report(f"{len(files)} small files are sent one at a time: {refusal.in_full}")
            for order, _, _ in complete:
                self._bring(order, result)
            return
        sent = {file.copy_id for file in files}
        for order, identity, digests in complete:
            if order.central is not None and order.central.id in sent:
                self._mark_sent(order.central, identity, digests, result)
            self._finish(order, identity, digests, result)
        if files:
            self.report(
                f"sent {len(files)} small files, {format_size(sum(len(file.data) for file in files))}"
            )

    def _bring(self, order: Order, result: Round) -> None:
        """Read one file, uploading it at the same time if it was ordered, and verify it."""
        file = self._file(order)
        try:
            identity = FileIdentity.of(file.stat())
            digests = self.journal.digests_of(order.relative_path, identity, DIGESTS_VALID_S)
            if order.central is not None and self._has_right_size(order, identity):
                identity, digests = self._send(order.relative_path, file, order.central, identity, digests)
                self._mark_sent(order.central, identity, digests, result)
            elif digests is None or (order.own is not None and order.own.order_proof):
                identity, digests = read_digests(file)
            self.journal.add_digests(order.relative_path, identity, digests)
            self._finish(order, identity, digests, result)
        except (FileChanged, OSError, Refused) as error:
            self._fail(order, error, result)

    def _send(
        self, path: str, file: LabFile, copy: LabCopy, identity: FileIdentity, digests: Digests | None
    ) -> tuple[FileIdentity, Digests]:
        """Send a file for a copy; an upload that a restart interrupted is resumed."""
        self.report(f"sending {path}, {format_size(identity.size_bytes)}")
        sender = Sender(self.connection, self.pace, PARTS_AT_ONCE)
        try:
            sent = sender.send(
                file,
                {"copy_id": copy.id, "name": path},
                digests=digests,
                begun=lambda identity: self.journal.upload_of(copy.id, identity),
                on_announced=lambda upload_id, identity: self.journal.add_upload(
                    copy.id, upload_id, identity
                ),
                on_sent=lambda done, of: self.on_sent(path, done, of),
            )
        except (FileChanged, Refused):
            self.journal.delete_upload(copy.id)
            raise
        self.journal.delete_upload(copy.id)
        return sent.identity, sent.digests

    def _mark_sent(self, copy: LabCopy, identity: FileIdentity, digests: Digests, result: Round) -> None:
        self.journal.mark_done(copy.id, identity)
        result.sent += 1
        result.sent_bytes += digests.size_bytes

    def _finish(self, order: Order, identity: FileIdentity, digests: Digests, result: Round) -> None:
        """Report the digests of a file that was read, and skip it until it changes or is ordered again much later."""
        self._prove(order, identity, digests, result)
        if order.central is not None:
            self.journal.mark_done(order.central.id, identity)
        self._failures.pop(order.relative_path, None)

    def _prove(self, order: Order, identity: FileIdentity, digests: Digests, result: Round) -> None:
        """Send the digests of our own copy; the server compares them."""
        if order.own is None:
            return
        body = {"size_bytes": digests.size_bytes, "md5": digests.md5, "sha256": digests.sha256}
        try:
            self.connection.post(f"/copies/{order.own.id}/proof", body)
        except Refused as refusal:
            self._fail(order, refusal, result)
            return
        self.journal.mark_done(order.own.id, identity)
        result.proved += 1
        if not self._agrees(order, digests):
            self.report(
                f"{order.relative_path} differs from what was registered: the server marks the copy as suspect"
            )

    def _has_right_size(self, order: Order, identity: FileIdentity) -> bool:
        return order.registered.size_bytes in {None, identity.size_bytes}

    def _agrees(self, order: Order, digests: Digests) -> bool:
        """Whether the bytes are those that were registered: others would only make the central copy suspect."""
        registered = order.registered
        return registered.size_bytes in {None, digests.size_bytes} and registered.md5 in {None, digests.md5}

    def _fail(self, order: Order, error: Exception, result: Round) -> None:
        times = self._failures.get(order.relative_path, (0, 0.0))[0] + 1
        pause_s = min(RETRY_S * 2.0 ** (times - 1), RECHECK_S)
        self._failures[order.relative_path] = (times, self.journal.now() + pause_s)
        result.failed.append(order.relative_path)
        reason = error.in_full if isinstance(error, Refused) else error
        self.report(f"{order.relative_path}: {reason}; retried in {pause_s:.0f} s")
