"""A job's log on its way to the server: in numbered pieces, so that a repeat is kept once."""

from __future__ import annotations

import codecs
import threading
from typing import Final

from cingulum.worker.http import Refused, Server, Unreachable

FLUSH_EVERY_S: Final = 2.0
PIECE_CHARACTERS: Final = 60_000
MOST_CHARACTERS: Final = 5_000_000  # a task that prints in a loop fills no database
_LAST_WORDS_S: Final = 10.0


class JobLog:
    """Takes text from any thread and sends it every few seconds; the log never stops a job."""

    def __init__(self, server: Server, job_id: str, token: int) -> None:
        self._server = server
        self._path = f"/jobs/{job_id}/log"
        self._token = token
        self._n = 0
        self._taken = 0
        self._pending = ""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._sender = threading.Thread(target=self._send_now_and_then, daemon=True)
        self._sender.start()

    def say(self, line: str) -> None:
        """Add a line."""
        self._add(line + "\n")

    def write(self, data: bytes) -> None:
        """Add what a task printed, however it is cut."""
        with self._lock:
            text = self._decoder.decode(data)
        self._add(text)

    def _add(self, text: str) -> None:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")  # no database takes it
        with self._lock:
            room = MOST_CHARACTERS - self._taken
            if room <= 0:
                return
            self._taken += len(text)
            self._pending += text if len(text) <= room else f"{text[:room]}\n… the log is cut here\n"

    def close(self) -> None:
        """Send the rest."""
        self._ended.set()
        self._sender.join()

    def _send_now_and_then(self) -> None:
        while not self._ended.wait(FLUSH_EVERY_S):
            if not self._flush(0.0):
                return
        self._flush(_LAST_WORDS_S)

    def _flush(self, patience_s: float) -> bool:
        """Send what there is; whether there is a sense in going on."""
        while True:
            with self._lock:
                text = self._pending[:PIECE_CHARACTERS]
            if not text:
                return True
            body = {"token": self._token, "n": self._n, "text": text}
            try:
                self._server.call("POST", self._path, json=body, patience_s=patience_s)
            except Unreachable:
                return True  # the same piece again at the next turn
            except Refused:
                return False
            with self._lock:
                self._pending = self._pending[len(text) :]
            self._n += 1
