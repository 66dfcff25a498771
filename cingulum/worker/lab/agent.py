"""One lab's agent: asks what is wanted of the files here, reads each byte once, sends, proves, and begins again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from cingulum.worker.below import LabFile, PassedOver
from cingulum.worker.http import Refused, Server
from cingulum.worker.lab.journal import Journal
from cingulum.worker.lab.orders import Copy, Order, orders_of
from cingulum.worker.lab.reading import Digests, FileChanged, Identity, read_all, read_small
from cingulum.worker.lab.sending import Pace, Sender, SmallFile

SMALL_BYTES: Final = 1 << 20
TOGETHER_BYTES: Final = 16 << 20
TOGETHER: Final = 500
FRESH_S: Final = 3_600.0  # digests older than this are no proof of what lies there now
AGAIN_S: Final = 600.0  # a copy that was sent or proved, and is still wanted, is looked at again after this
PAUSE_S: Final = 5.0  # after a failure; twice as long after each further one
Tell = Callable[[str], None]
OnSent = Callable[[str, int, int], None]


@dataclass
class Round:
    """What one look at the orders led to.

    `absent` files are not here; `resting` ones are being written; `passed_over` ones are reached by a link only, or are
    no regular files.
    """

    sent: int = 0
    sent_bytes: int = 0
    proved: int = 0
    absent: int = 0
    resting: int = 0
    waiting: int = 0
    failed: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing was left to do that another look could find done."""
        return not (self.sent or self.proved or self.resting or self.failed)


@dataclass
class LabAgent:
    """Serves one repository, whose files lie below `root` as `<lab>/Subjects/<subject>/<date>/<number>/…`.

    No link below `root` is followed. Files that were written to in the last `settle_s` seconds are left alone.
    `tell` hears a line for people,
    `on_sent` how much of a large file is done.
    """

    server: Server
    journal: Journal
    root: Path
    repository: str
    settle_s: float = 2.0
    pace: Pace = field(default_factory=Pace)
    tell: Tell = print
    on_sent: OnSent = lambda _path, _done, _of: None
    _failures: dict[str, tuple[int, float]] = field(default_factory=dict, init=False)  # how often, not before
    _passed_over: set[str] = field(default_factory=set, init=False)  # what was told already

    def run_once(self) -> Round:
        """Look at the orders once, and do what can be done: small files first, raw data last.

        Raises Unreachable if the server stays away; all that was done before is kept.
        """
        result = Round()
        here = list(self._here(result))
        here.sort(key=lambda found: (found[1].size_bytes, found[0].relative_path))
        small = [found for found in here if found[1].size_bytes <= SMALL_BYTES]
        for batch in _batches(small):
            self._send_together(batch, result)
        for order, _ in here[len(small) :]:
            self._alone(order, result)
        return result

    def run(self, every_s: float = 5.0) -> None:
        """Do so again and again, until the server's `stop` is set."""
        while not self.server.stop.is_set():
            self.run_once()
            self.server.stop.wait(every_s)

    def _here(self, result: Round) -> Iterator[tuple[Order, Identity]]:
        """Orders whose files lie here and rest, without what was done a moment ago."""
        for order in orders_of(self.server, self.repository):
            if self._failures.get(order.relative_path, (0, 0.0))[1] > self.journal.now():
                result.waiting += 1
                continue
            try:
                found = self._file(order).stat()
            except (FileNotFoundError, NotADirectoryError):
                result.absent += 1
                continue
            except PassedOver as reason:
                self._pass_over(order, reason, result)
                continue
            except OSError as error:
                # A folder that may not be entered, or a name that this file system cannot have.
                self._failed(order, error, result)
                continue
            identity = Identity.of(found)
            own = order.own if self._is_due(order.own, identity) else None
            central = order.central if self._is_due(order.central, identity) else None
            if own is None and central is None:
                result.waiting += 1
            elif self.journal.now() - found.st_mtime < self.settle_s:
                result.resting += 1
            else:
                yield Order(order.relative_path, own, central), identity

    def _file(self, order: Order) -> LabFile:
        return LabFile(self.root, order.relative_path)

    def _pass_over(self, order: Order, reason: PassedOver, result: Round) -> None:
        """Leave a file alone, and say so once for each reason."""
        line = f"{order.relative_path}: passed over, as {reason}"
        if line not in self._passed_over:
            self._passed_over.add(line)
            self.tell(line)
        result.passed_over.append(order.relative_path)

    def _is_due(self, copy: Copy | None, identity: Identity) -> bool:
        """Whether a copy's file changed since it was sent or proved, or the server still wants it long after."""
        if copy is None:
            return False
        done = self.journal.done_of(copy.id)
        if done is None or done.identity != identity:
            return True
        return self.journal.now() - done.at > AGAIN_S and (copy.order_proof or copy.state != "suspect")

    def _send_together(self, batch: Sequence[Order], result: Round) -> None:
        """Read small files, send those that are as registered in one request, and prove them all."""
        read: list[tuple[Order, Identity, Digests]] = []
        files: list[SmallFile] = []
        for order in batch:
            try:
                identity, found, data = read_small(self._file(order))
            except (FileChanged, OSError) as error:
                self._failed(order, error, result)
                continue
            read.append((order, identity, found))
            if order.central is not None and self._agrees(order, found):
                files.append(SmallFile(order.central.id, order.relative_path, data, found))
        try:
            if files:
                self.sender.send_together(files)
        except Refused as refusal:
            self.tell(f"{len(files)} small files go one by one: {refusal}")
            for order, _, _ in read:
                self._alone(order, result)
            return
        sent = {file.copy_id for file in files}
        for order, identity, found in read:
            if order.central is not None and order.central.id in sent:
                self._was_sent(order.central, identity, found, result)
            self._settle(order, identity, found, result)
        if files:
            self.tell(f"sent {len(files)} small files, {_size(sum(len(file.data) for file in files))}")

    def _alone(self, order: Order, result: Round) -> None:
        """Read one file, sending it meanwhile if it is to be sent, and prove it."""
        path = self._file(order)
        try:
            identity = Identity.of(path.stat())
            known = self.journal.digests_of(order.relative_path, identity, FRESH_S)
            if order.central is None or not self._has_right_size(order, identity):
                found = known
                if found is None or (order.own is not None and order.own.order_proof):
                    identity, found = read_all(path)
            else:
                self.tell(f"sending {order.relative_path}, {_size(identity.size_bytes)}")
                name = order.relative_path
                identity, found = self.sender.send(
                    path, name, order.central.id, known, lambda done, of: self.on_sent(name, done, of)
                )
                self._was_sent(order.central, identity, found, result)
            self.journal.was_read(order.relative_path, identity, found)
            self._settle(order, identity, found, result)
        except (FileChanged, OSError, Refused) as error:
            self._failed(order, error, result)

    @property
    def sender(self) -> Sender:
        """What sends files for this agent."""
        return Sender(self.server, self.journal, self.pace)

    def _was_sent(self, copy: Copy, identity: Identity, found: Digests, result: Round) -> None:
        self.journal.is_done(copy.id, identity)
        result.sent += 1
        result.sent_bytes += found.size_bytes

    def _settle(self, order: Order, identity: Identity, found: Digests, result: Round) -> None:
        """The file was read: say so, and leave it alone until it changes, or the server asks again much later."""
        self._prove(order, identity, found, result)
        if order.central is not None:
            self.journal.is_done(order.central.id, identity)
        self._failures.pop(order.relative_path, None)

    def _prove(self, order: Order, identity: Identity, found: Digests, result: Round) -> None:
        """Tell what a full read of our own copy found; it is for the server to compare."""
        if order.own is None:
            return
        said = {"size_bytes": found.size_bytes, "md5": found.md5, "sha256": found.sha256}
        try:
            self.server.post(f"/copies/{order.own.id}/proof", said)
        except Refused as refusal:
            self._failed(order, refusal, result)
            return
        self.journal.is_done(order.own.id, identity)
        result.proved += 1
        if not self._agrees(order, found):
            self.tell(f"{order.relative_path} is not what was registered: see its notice on the server")

    def _has_right_size(self, order: Order, identity: Identity) -> bool:
        return order.what_is_known.size_bytes in {None, identity.size_bytes}

    def _agrees(self, order: Order, found: Digests) -> bool:
        """Whether the bytes are those that were registered: others would only make the central copy suspect."""
        known = order.what_is_known
        return known.size_bytes in {None, found.size_bytes} and known.md5 in {None, found.md5}

    def _failed(self, order: Order, error: Exception, result: Round) -> None:
        times = self._failures.get(order.relative_path, (0, 0.0))[0] + 1
        pause_s = min(PAUSE_S * 2.0 ** (times - 1), AGAIN_S)
        self._failures[order.relative_path] = (times, self.journal.now() + pause_s)
        result.failed.append(order.relative_path)
        self.tell(f"{order.relative_path}: {error}; again in {pause_s:.0f} s")


def _batches(found: Sequence[tuple[Order, Identity]]) -> Iterator[list[Order]]:
    """Files that travel together."""
    batch: list[Order] = []
    held = 0
    for order, identity in found:
        if batch and (held + identity.size_bytes > TOGETHER_BYTES or len(batch) == TOGETHER):
            yield batch
            batch, held = [], 0
        batch.append(order)
        held += identity.size_bytes
    if batch:
        yield batch


def _size(size_bytes: int) -> str:
    """For people.

    >>> _size(999), _size(83_000_000_000)
    ('999 B', '83.0 GB')
    """
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
