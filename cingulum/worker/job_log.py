"""Sends a job's log to the server in numbered pieces, so that a repeated piece is stored once."""

from __future__ import annotations

import codecs
import threading
from typing import Final

from cingulum.http import Connection, Refused, Unreachable

FLUSH_EVERY_S: Final = 2.0
PIECE_CHARACTERS: Final = 60_000
MOST_CHARACTERS: Final = 5_000_000  # a task that prints in a loop must not fill the database
_LAST_FLUSH_S: Final = 10.0


class JobLog:
    """Accepts text from any thread and sends it every few seconds; a failure to send never stops the job."""

    def __init__(self, connection: Connection, job_id: str, token: int) -> None:
        self._connection = connection
        self._path = f"/jobs/{job_id}/log"
        self._token = token
        self._n = 0
        self._n_characters = 0
        self._pending = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sender = threading.Thread(target=self._send_repeatedly, daemon=True)
        self._sender.start()

    def add_line(self, line: str) -> None:
        """Add a line."""
        self._add(line + "\n")

    def write(self, data: bytes) -> None:
        """Add output of the task; characters may be cut between two calls."""
        with self._lock:
            text = self._decoder.decode(data)
        self._add(text)

    def _add(self, text: str) -> None:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")  # PostgreSQL cannot store it
        with self._lock:
            room = MOST_CHARACTERS - self._n_characters
            if room <= 0:
                return
            self._n_characters += len(text)
            self._pending += text if len(text) <= room else f"{text[:room]}\n… log truncated\n"

    def close(self) -> None:
        """Send the rest."""
        self._ended.set()
        self._sender.join()

    def _send_repeatedly(self) -> None:
        while not self._ended.wait(FLUSH_EVERY_S):
            if not self._flush(0.0):
                return
        self._flush(_LAST_FLUSH_S)

    def _flush(self, within_s: float) -> bool:
        """Send what is pending; False if the server refuses the log, so that sending more is useless."""
        while True:
            with self._lock:
                text = self._pending[:PIECE_CHARACTERS]
            if not text:
                return True
            body = {"token": self._token, "n": self._n, "text": text}
            try:
                self._connection.post(self._path, body, within_s=within_s)
            except Unreachable:
                return True  # the same piece is sent again next time
            except Refused:
                return False
            with self._lock:
                self._pending = self._pending[len(text) :]
            self._n += 1
