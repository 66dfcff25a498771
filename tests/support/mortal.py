"""A whole system whose services are killed (SIGKILL) around every request that it is asked."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import httpx

from deploy.local.places import free_port
from tests.support.forks import FORK

PATIENCE_S = 60.0
LOGIN = {"username": "admin", "password": "correct horse"}
Moment = Literal["after its answer", "before its answer"]


def serve(environment: Mapping[str, str], log: str) -> None:
    """All services in this process, until it is killed; what they say goes to a file."""
    os.environ.update(environment)
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(said, 1)
    os.dup2(said, 2)
    from deploy.local import mounted

    mounted.main()


@dataclass
class Mortal:
    """A caller whose requests each cost the services their life, at the moment that the test chose."""

    environment: Mapping[str, str]
    moment: Moment
    http: httpx.Client
    log: Path
    deaths: int = 0
    asked: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(54))
    process: BaseProcess | None = None

    def live(self) -> None:
        """Start the services and wait until all of them answer."""
        self.process = FORK.Process(target=serve, args=(dict(self.environment), str(self.log)), daemon=True)
        self.process.start()
        until = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            assert time.monotonic() < until, (
                f"the services did not come back:\n{self.log.read_text()[-3000:]}"
            )
            time.sleep(0.03)

    def die(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.join()
        self.deaths += 1

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def ask(self, method: str, path: str, status: int, **more: Any) -> Any:
        """Send a request; the services die around it; its repeat under the same key is answered, the same."""
        first, again = self._ask_twice(method, path, status, more)
        assert again.status_code == status, (path, again.text)
        if first is not None:
            assert again.content == first.content, path
        return again.json() if again.content else None

    def ask_once_shown(self, method: str, path: str, status: int, **more: Any) -> Any:
        """The same where the answer holds a secret that is kept nowhere: whoever lost it makes another."""
        first, again = self._ask_twice(method, path, status, more)
        if first is None and again.status_code == status:
            return again.json()
        assert again.status_code == 409, (path, again.text)
        assert again.json()["type"] == "shown-once"
        answer = first or self._send(method, path, f"asked-{len(self.asked) - 1}", {}, more)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    def _ask_twice(
        self, method: str, path: str, status: int, more: dict[str, Any]
    ) -> tuple[httpx.Response | None, httpx.Response]:
        """The first answer, None if nobody waited for it, and that to the repeat.

        What was done for it stands under the request id `asked-<n>`; a repeat of what was answered has another
        id, under which nothing may ever stand.
        """
        n = len(self.asked)
        headers = {"Idempotency-Key": str(uuid4()), **more.pop("headers", {})}
        self.asked.append(f"{method} {path}")
        first = None
        if self.moment == "after its answer":
            first = self._send(method, path, f"asked-{n}", headers, more)
            assert first.status_code == status, (path, first.text)
            self.die()
        else:
            self._send_and_die(method, path, f"asked-{n}", headers, more)
        self.live()
        return first, self._send(method, path, f"again-{n}" if first else f"asked-{n}", headers, more)

    def _send(
        self, method: str, path: str, request_id: str, headers: Mapping[str, str], more: Mapping[str, Any]
    ) -> httpx.Response:
        return self.http.request(method, path, headers={**headers, "X-Request-ID": request_id}, **more)

    def _send_and_die(self, *request: Any) -> None:
        """The services die 0 to 30 ms into the request, whether it was answered by then or not."""

        def send() -> None:
            with suppress(httpx.TransportError):  # as intended: there is no answer
                self._send(*request)

        sending = threading.Thread(target=send)
        sending.start()
        time.sleep(self.chance.uniform(0, 0.03))
        self.die()
        sending.join()

    def get(self, path: str) -> Any:
        """What a plain question is answered; nobody dies of it."""
        return self.http.get(path).raise_for_status().json()

    def wait(self, path: str, wanted: Any) -> Any:
        """Ask until the answer is what is wanted of it."""
        until = time.monotonic() + PATIENCE_S
        while not wanted(told := self.get(path)):
            assert time.monotonic() < until, f"{path} stays {told}"
            time.sleep(0.05)
        return told


@contextmanager
def mortal(environment: Mapping[str, str], moment: Moment, log: Path) -> Iterator[Mortal]:
    """The system, signed in to as its first administrator."""
    port = free_port()
    told = {
        **environment,
        "CINGULUM_PORT": str(port),
        "CINGULUM_ADMIN_USERNAME": LOGIN["username"],
        "CINGULUM_ADMIN_PASSWORD": LOGIN["password"],
    }
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        system = Mortal(told, moment, http, log)
        try:
            system.live()
            token = http.post("/auth-token", json=LOGIN).raise_for_status().json()["token"]
            http.headers["Authorization"] = f"Token {token}"
            yield system
        finally:
            if system.process is not None:
                system.process.kill()
                system.process.join()
