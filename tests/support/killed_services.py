"""A whole system whose services are killed (SIGKILL) around every request."""

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
from tests.support.waiting import blocking_attempts

LOGIN = {"username": "admin", "password": "correct horse"}
Moment = Literal["after its answer", "before its answer"]


def serve(environment: Mapping[str, str], log: str) -> None:
    """Run all services in this process until it is killed; their output goes to a file."""
    os.environ.update(environment)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(output, 1)
    os.dup2(output, 2)
    from deploy.local import mounted

    mounted.main()


@dataclass
class KilledServices:
    """A client around each of whose requests the services are killed, at the moment that the test chose."""

    environment: Mapping[str, str]
    moment: Moment
    http: httpx.Client
    log: Path
    kills: int = 0
    requests: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(54))
    process: BaseProcess | None = None

    def start(self) -> None:
        """Start the services and wait until all of them answer."""
        self.process = FORK.Process(target=serve, args=(dict(self.environment), str(self.log)), daemon=True)
        self.process.start()
        for _ in blocking_attempts():
            if self._is_ready():
                return
        raise AssertionError(f"the services did not come back:\n{self.log.read_text()[-3000:]}")

    def kill(self) -> None:
        """Send SIGKILL to the services."""
        assert self.process is not None
        self.process.kill()
        self.process.join()
        self.kills += 1

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/health/ready").status_code == 200
        except httpx.TransportError:
            return False

    def request(self, method: str, path: str, status: int, **more: Any) -> Any:
        """Send a request around which the services are killed; its repeat under the same key has the same answer."""
        first, again = self._send_twice(method, path, status, more)
        assert again.status_code == status, (path, again.text)
        if first is not None:
            assert again.content == first.content, path
        return again.json() if again.content else None

    def request_secret(self, method: str, path: str, status: int, **more: Any) -> Any:
        """The same where the answer holds a secret that is not stored: a client that lost it makes another."""
        first, again = self._send_twice(method, path, status, more)
        if first is None and again.status_code == status:
            return again.json()
        assert again.status_code == 409, (path, again.text)
        assert again.json()["type"] == "shown-once"
        answer = first or self._send(method, path, f"request-{len(self.requests) - 1}", {}, more)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    def _send_twice(
        self, method: str, path: str, status: int, more: dict[str, Any]
    ) -> tuple[httpx.Response | None, httpx.Response]:
        """The first answer (None if it was not awaited), and that to the repeat.

        Rows of the request have the request id `request-<n>`; a repeat of an answered request has the id
        `repeat-<n>`, under which no row may ever exist.
        """
        n = len(self.requests)
        headers = {"Idempotency-Key": str(uuid4()), **more.pop("headers", {})}
        self.requests.append(f"{method} {path}")
        first = None
        if self.moment == "after its answer":
            first = self._send(method, path, f"request-{n}", headers, more)
            assert first.status_code == status, (path, first.text)
            self.kill()
        else:
            self._send_and_kill(method, path, f"request-{n}", headers, more)
        self.start()
        return first, self._send(method, path, f"repeat-{n}" if first else f"request-{n}", headers, more)

    def _send(
        self, method: str, path: str, request_id: str, headers: Mapping[str, str], more: Mapping[str, Any]
    ) -> httpx.Response:
        return self.http.request(method, path, headers={**headers, "X-Request-ID": request_id}, **more)

    def _send_and_kill(self, *request: Any) -> None:
        """Kill the services 0 to 30 ms into the request, whether it was answered by then or not."""

        def send() -> None:
            with suppress(httpx.TransportError):  # as intended: there is no answer
                self._send(*request)

        sending = threading.Thread(target=send)
        sending.start()
        time.sleep(self.chance.uniform(0, 0.03))
        self.kill()
        sending.join()

    def get(self, path: str) -> Any:
        """A GET, around which nothing is killed."""
        return self.http.get(path).raise_for_status().json()

    def wait_for(self, path: str, is_expected: Any) -> Any:
        """Repeat a GET until its body is as expected."""
        body = None
        for _ in blocking_attempts():
            if is_expected(body := self.get(path)):
                return body
        raise AssertionError(f"{path} stays {body}")


@contextmanager
def killed_services(environment: Mapping[str, str], moment: Moment, log: Path) -> Iterator[KilledServices]:
    """The system with a client signed in as its first administrator."""
    port = free_port()
    settings = {
        **environment,
        "CINGULUM_PORT": str(port),
        "CINGULUM_ADMIN_USERNAME": LOGIN["username"],
        "CINGULUM_ADMIN_PASSWORD": LOGIN["password"],
    }
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        system = KilledServices(settings, moment, http, log)
        try:
            system.start()
            token = http.post("/auth-token", json=LOGIN).raise_for_status().json()["token"]
            http.headers["Authorization"] = f"Token {token}"
            yield system
        finally:
            if system.process is not None:
                system.process.kill()
                system.process.join()
