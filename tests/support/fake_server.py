"""A server in memory that gives out jobs, their inputs, and takes their outputs, for tests of the worker."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

import httpx
import numpy as np

from examples.synthetic_recording import spikeglx_meta
from tests.support.fake_transfer import FakeTransfer, problem

FOLDER = "hilllab/Subjects/SWC_054/2020-08-21/001"


@dataclass
class FakeServer(FakeTransfer):
    """Gives each job once; `reports` keeps what was said of jobs, `lost` names those taken away."""

    files: dict[str, bytes] = field(default_factory=dict)
    waiting: deque[dict[str, Any]] = field(default_factory=deque)
    claimed: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    logs: dict[str, dict[int, str]] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    part_bytes: int = 1 << 20
    over: threading.Event = field(default_factory=threading.Event)

    def add_long(self) -> str:
        """Seconds of compression: random numbers, deflated slowly."""
        raw = np.random.default_rng(0).integers(-512, 512, (60_000, 385), np.int16).tobytes()
        folder, name = "raw_ephys_data/probe00", "_spikeglx_ephysData_g0_t0.imec0.ap"
        meta = spikeglx_meta(f"{name}.bin", 60_000).encode()
        inputs = {f"{folder}/{name}.bin": raw, f"{folder}/{name}.meta": meta}
        return self.add("compress", inputs, "probe00", preset="compatible-small")

    def add(self, task: str, inputs: dict[str, bytes], probe: str = "", **parameters: Any) -> str:
        """A job of these inputs."""
        self.files |= {f"{FOLDER}/{path}": data for path, data in inputs.items()}
        job_inputs = [
            {"relative_path": p, "dataset_id": str(uuid4()), "sha256": sha256(d)} for p, d in inputs.items()
        ]
        job = {"id": str(uuid4()), "task": task, "session_path": FOLDER, "probe": probe, "inputs": job_inputs}
        self.waiting.append({"job": job, "token": len(self.waiting) + 1, "parameters": parameters})
        return str(job["id"])

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path)
        if not path.startswith(("/jobs", "/data")):
            return super().handle(request)
        self.requests.append(f"{request.method} {path}")
        response = self.before(request)
        return response if response is not None else self._answer(path, request)

    def _answer(self, path: str, request: httpx.Request) -> httpx.Response:
        if path.startswith("/data/"):
            data = self.files.get(path.removeprefix("/data/"))
            return (
                problem(404, "not-found")
                if data is None
                else httpx.Response(200, stream=httpx.ByteStream(data))
            )
        body = json.loads(request.content)
        match path.split("/")[2:]:
            case ["claim"]:
                return self._claim(body)
            case ["heartbeat"]:
                beats = {beat["job_id"] for beat in body["jobs"]}
                return httpx.Response(200, json={"lost": sorted(beats & self.lost)})
            case [job, "log"]:
                self.logs.setdefault(job, {})[body["n"]] = body["text"]
                return httpx.Response(204)
            case [job, what]:
                self.reports[job] = (what, body)
                self.over.set()
                return httpx.Response(200, json={})
        return problem(404, "not-found")

    def _claim(self, body: dict[str, Any]) -> httpx.Response:
        if body["claim_id"] not in self.claimed:
            if not self.waiting:
                time.sleep(min(body["wait_s"], 0.05))
                return httpx.Response(200, json={"job": None})
            self.claimed[body["claim_id"]] = self.waiting.popleft()
        return httpx.Response(200, json=self.claimed[body["claim_id"]])

    def log_of(self, job: str) -> str:
        """The whole log of a job."""
        return "".join(text for _, text in sorted(self.logs.get(job, {}).items()))


def sha256(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


@contextmanager
def over_http(fake: FakeServer) -> Iterator[str]:
    """The same behind a real port, for workers in processes of their own; its address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = httpx.Request(
                self.command, f"http://cingulum.test{self.path}", headers=dict(self.headers), content=body
            )
            answer = fake.handle(request)
            content = answer.read()
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server names it
            """Say nothing: tests read `requests`."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
