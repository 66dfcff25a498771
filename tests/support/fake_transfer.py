"""An upload server in memory that can be made to fail, for tests of what talks to it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from cingulum.worker.sending import content_digest

Answer = Callable[[httpx.Request], httpx.Response | None]


@dataclass
class FakeTransfer:
    """Keeps what is sent to it. `before` may answer, or break, a request before it is looked at."""

    part_bytes: int = 4
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    parts: dict[str, dict[int, bytes]] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    before: Answer = lambda _request: None
    still_reading: int = 0

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(f"{request.method} {request.url.path}")
        said = self.before(request)
        if said is not None:
            return said
        match request.method, *request.url.path.strip("/").split("/"):
            case "POST", "uploads":
                return self._announce(json.loads(request.content))
            case "GET", "uploads", one:
                return self._state(one) if one in self.uploads else problem(404, "not-found")
            case "PUT", "uploads", one, "parts", n:
                assert request.headers["Content-Digest"] == content_digest(request.content)
                self.parts[one][int(n)] = request.content
                return httpx.Response(204)
            case "POST", "uploads", one, "complete":
                return self._complete(one, json.loads(request.content)["sha256"])
        return problem(404, "not-found")

    def _announce(self, said: dict[str, Any]) -> httpx.Response:
        one = str(uuid4())
        state = "landed" if said.get("sha256") in self.stored else "announced"
        self.uploads[one] = {**said, "id": one, "state": state, "part_bytes": self.part_bytes}
        self.parts[one] = {}
        return self._state(one, 201)

    def _state(self, one: str, status: int = 200) -> httpx.Response:
        upload = self.uploads[one]
        count = -(-upload["size_bytes"] // self.part_bytes)
        is_landed = upload["state"] == "landed"
        missing = [n for n in range(count) if n not in self.parts[one] and not is_landed]
        return httpx.Response(status, json={**upload, "missing": missing})

    def _complete(self, one: str, sha256: str) -> httpx.Response:
        whole = b"".join(data for _, data in sorted(self.parts[one].items()))
        if len(whole) < self.uploads[one]["size_bytes"]:
            return problem(409, "part-missing", missing=json.loads(self._state(one).content)["missing"])
        if hashlib.sha256(whole).hexdigest() != sha256:
            self.parts[one] = {}
            return problem(409, "hash-differs")
        if self.still_reading:
            self.still_reading -= 1
            return self._state(one, 202)
        self.stored[sha256] = whole
        self.uploads[one]["state"] = "landed"
        return self._state(one)


def problem(status: int, kind: str, **more: Any) -> httpx.Response:
    """A refusal in the shape of all our services."""
    return httpx.Response(status, json={"detail": kind, "status_code": status, "type": kind, **more})
