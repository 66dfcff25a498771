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
        response = self.before(request)
        if response is not None:
            return response
        match request.method, *request.url.path.strip("/").split("/"):
            case "POST", "uploads":
                return self._announce(json.loads(request.content))
            case "GET", "uploads", upload_id:
                return self._state(upload_id) if upload_id in self.uploads else problem(404, "not-found")
            case "PUT", "uploads", upload_id, "parts", n:
                assert request.headers["Content-Digest"] == content_digest(request.content)
                self.parts[upload_id][int(n)] = request.content
                return httpx.Response(204)
            case "POST", "uploads", upload_id, "complete":
                return self._complete(upload_id, json.loads(request.content)["sha256"])
        return problem(404, "not-found")

    def _announce(self, body: dict[str, Any]) -> httpx.Response:
        upload_id = str(uuid4())
        state = "landed" if body.get("sha256") in self.stored else "announced"
        self.uploads[upload_id] = {**body, "id": upload_id, "state": state, "part_bytes": self.part_bytes}
        self.parts[upload_id] = {}
        return self._state(upload_id, 201)

    def _state(self, upload_id: str, status: int = 200) -> httpx.Response:
        upload = self.uploads[upload_id]
        count = -(-upload["size_bytes"] // self.part_bytes)
        is_landed = upload["state"] == "landed"
        missing = [n for n in range(count) if n not in self.parts[upload_id] and not is_landed]
        return httpx.Response(status, json={**upload, "missing": missing})

    def _complete(self, upload_id: str, sha256: str) -> httpx.Response:
        whole = b"".join(data for _, data in sorted(self.parts[upload_id].items()))
        if len(whole) < self.uploads[upload_id]["size_bytes"]:
            return problem(409, "part-missing", missing=json.loads(self._state(upload_id).content)["missing"])
        if hashlib.sha256(whole).hexdigest() != sha256:
            self.parts[upload_id] = {}
            return problem(409, "hash-differs")
        if self.still_reading:
            self.still_reading -= 1
            return self._state(upload_id, 202)
        self.stored[sha256] = whole
        self.uploads[upload_id]["state"] = "landed"
        return self._state(upload_id)


def problem(status: int, kind: str, **more: Any) -> httpx.Response:
    """A refusal in the shape of all our services."""
    return httpx.Response(status, json={"detail": kind, "status_code": status, "type": kind, **more})
