"""A server in memory that expects files of one lab, for tests of the agent."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx

from tests.support.bytes import md5
from tests.support.fake_transfer import FakeTransfer, problem

FOLDER = "hilllab/Subjects/m1/2020-08-21/001"


@dataclass
class FakeLab:
    """Copies that the server wants, in `lab_server` and in `central`; `transfer` takes the bytes."""

    transfer: FakeTransfer = field(default_factory=FakeTransfer)
    copies: dict[str, dict[str, Any]] = field(default_factory=dict)
    proofs: dict[str, dict[str, Any]] = field(default_factory=dict)
    bundles: int = 0
    refuse_bundles: bool = False

    def register(self, name: str, data: bytes | None, *, also_here: bool = True) -> None:
        """A file of the session is expected in both repositories."""
        for repository, store in (("lab_server", "agent"), ("central", "local")):
            if store == "local" or also_here:
                copy_id = str(uuid4())
                self.copies[copy_id] = {
                    "id": copy_id,
                    "repository": repository,
                    "store": store,
                    "state": "expected",
                    "relative_path": f"{FOLDER}/{name}",
                    "size_bytes": None if data is None else len(data),
                    "md5": None if data is None else md5(data),
                    "order_proof": store == "agent",
                    "is_current": True,
                }

    def state(self, name: str, repository: str = "central") -> str:
        """The state of a copy."""
        [copy_id] = [
            copy["state"]
            for copy in self.copies.values()
            if copy["relative_path"] == f"{FOLDER}/{name}" and copy["repository"] == repository
        ]
        return str(copy_id)

    def handle(self, request: httpx.Request) -> httpx.Response:
        match request.method, *request.url.path.strip("/").split("/"):
            case "GET", "copies":
                return self._list(dict(request.url.params))
            case "POST", "copies", copy_id, "proof":
                self.proofs[copy_id] = json.loads(request.content)
                return self._proved(copy_id, self.proofs[copy_id]["md5"])
            case "POST", "bundles":
                return self._bundle(request)
            case "POST", "uploads":
                answer = self.transfer.handle(request)
                upload = answer.json()
                if upload["state"] == "landed":
                    self._proved(upload["copy_id"], md5(self.transfer.stored[upload["sha256"]]))
                return answer
            case "POST", "uploads", copy_id, "complete":
                answer = self.transfer.handle(request)
                if answer.status_code == 200:
                    upload = self.transfer.uploads[copy_id]
                    sha256_of_body = json.loads(request.content)["sha256"]
                    self._proved(upload["copy_id"], md5(self.transfer.stored[sha256_of_body]))
                return answer
        return self.transfer.handle(request)

    def _list(self, params: dict[str, str]) -> httpx.Response:
        copies = [
            copy
            for copy in self.copies.values()
            if copy["state"] == params["state"]
            and ("repository" not in params or copy["repository"] == params["repository"])
            and ("held_by" not in params or copy["repository"] != params["held_by"])
        ]
        first, limit = int(params["offset"]), int(params["limit"])
        return httpx.Response(200, json={"count": len(copies), "results": copies[first : first + limit]})

    def _proved(self, copy_id: str, read_md5: str) -> httpx.Response:
        copy = self.copies[copy_id]
        copy["state"] = "verified" if copy["md5"] in (None, read_md5) else "suspect"
        copy["order_proof"] = False
        return httpx.Response(200, json=copy)

    def _bundle(self, request: httpx.Request) -> httpx.Response:
        if self.refuse_bundles:
            return problem(400, "bad-bundle")
        line, _, rest = request.content.partition(b"\n")
        for file in json.loads(line)["files"]:
            data, rest = rest[: file["size_bytes"]], rest[file["size_bytes"] :]
            assert hashlib.sha256(data).hexdigest() == file["sha256"]
            self.transfer.stored[file["sha256"]] = data
            self._proved(file["copy_id"], md5(data))
        assert rest == b""
        self.bundles += 1
        return httpx.Response(201, json={"uploads": []})
